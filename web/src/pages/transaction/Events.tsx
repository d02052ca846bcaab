import { Code, Stack, Text } from "@mantine/core";
import type { Log } from "viem";
import { useService } from "../../api/service";
import { short } from "../../format/text";
import { DataTable } from "../../parts/DataTable";
import { Empty } from "../../parts/Empty";
import { Hash } from "../../parts/Hash";
import { Section } from "../../parts/Section";
import { decodeEvent } from "./decode";
import { describe } from "./describe";

/** What the transaction did: events of our contracts in words, others as they are. */
export function Events({ logs, success }: { logs: Log[]; success: boolean }) {
  const { contracts, settlement_token } = useService();
  const rows = logs.map((log, place) => ({ log, place, event: decodeEvent(contracts, log) }));
  return (
    <Section title="What happened" about="Events in their order, as the contracts emitted them.">
      {rows.length === 0 ? (
        <Empty title="No events">
          {success
            ? "The call changed nothing that a contract reports."
            : "A reverted transaction leaves no events: nothing moved."}
        </Empty>
      ) : (
        <DataTable
          caption="Events"
          rows={rows}
          rowKey={(row) => row.place}
          columns={[
            {
              head: "Event",
              rowHead: true,
              wraps: true,
              cell: ({ event, log }) =>
                event !== null ? (
                  <Text size="sm">
                    {describe(event, settlement_token?.symbol ?? "", contracts)}
                  </Text>
                ) : (
                  <Stack gap={2}>
                    <Text size="sm">Of another contract, as it is:</Text>
                    <Code block className="hash-whole">
                      {[...log.topics.map((t) => short(t, 18, 6)), short(log.data, 66, 0)].join(
                        "\n",
                      )}
                    </Code>
                  </Stack>
                ),
            },
            {
              head: "Name",
              cell: ({ event }) =>
                event === null ? "" : <span className="hash">{event.eventName}</span>,
            },
            {
              head: "Contract",
              cell: ({ event, log }) => event?.contract ?? <Hash value={log.address} />,
            },
          ]}
        />
      )}
    </Section>
  );
}
