import { Stack, Text } from "@mantine/core";
import { grouped } from "../../../format/money";
import { DataTable } from "../../../parts/DataTable";
import { Account, Hash } from "../../../parts/Hash";
import { Instant } from "../../../parts/Instant";
import { Section } from "../../../parts/Section";
import { useRefusals } from "../queries";

/** What attesters refused: shown only where there is something. */
export function Refusals({ facilityId }: { facilityId: number }) {
  const { data } = useRefusals(facilityId);
  if (data === undefined || data.total === 0) return null;
  return (
    <Section
      title="Refusals"
      about="What attesters refused of this facility, newest epoch first. Code and place are signed by the attester, who also serves the refusal at its own URL; its words are not."
    >
      <Stack gap="sm">
        <DataTable
          caption="Table of refusals"
          rows={data.refusals}
          rowKey={({ refusal: said }) =>
            `${said.attester} ${said.statement_hash} ${said.evidence_hash}`
          }
          columns={[
            { head: "Epoch", rowHead: true, cell: (row) => grouped(row.refusal.epoch) },
            { head: "Attester", cell: (row) => <Account address={row.refusal.attester} /> },
            {
              head: "Refused",
              cell: ({ refusal: said }) =>
                /^0x0+$/.test(said.statement_hash) ? (
                  <>
                    evidence <Hash value={said.evidence_hash} />
                  </>
                ) : (
                  <Hash value={said.statement_hash} />
                ),
            },
            { head: "Code", cell: (row) => row.refusal.code.replaceAll("_", " ") },
            { head: "Place", cell: (row) => row.refusal.place },
            { head: "In its words", wraps: true, cell: (row) => row.refusal.message },
            { head: "Received", cell: (row) => <Instant seconds={row.received_at_s} /> },
            { head: "On-chain", cell: (row) => (row.on_chain ? "yes" : "not yet") },
          ]}
        />
        {data.total > data.refusals.length && (
          <Text size="xs" c="dimmed">
            {grouped(data.total)} in all; these are the newest.
          </Text>
        )}
      </Stack>
    </Section>
  );
}
