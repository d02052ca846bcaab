import { Stack, Text } from "@mantine/core";
import { DataTable } from "../../../parts/DataTable";
import { Empty } from "../../../parts/Empty";
import { Instant } from "../../../parts/Instant";
import { Loaded } from "../../../parts/Loaded";
import { Pager } from "../../../parts/Pager";
import { Section } from "../../../parts/Section";
import { Unknown } from "../../../parts/Unknown";
import { PAGE, useRejections } from "../queries";
import { useOffset } from "../sections";

function Sent({ text }: { text: string | null }) {
  if (text === null) return <Unknown />;
  return (
    <Text size="sm" className="hash" miw={120} maw={240} style={{ overflowWrap: "anywhere" }}>
      {text.length > 120 ? `${text.slice(0, 120)}…` : text}
    </Text>
  );
}

/** Events that were not recorded, with the reason. */
export function Rejections({ facilityId }: { facilityId: number }) {
  const [offset, setOffset] = useOffset();
  const query = useRejections(facilityId, offset);
  return (
    <Section
      title="Rejected events"
      about="Newest first. Correct them and send them again, under the same id. Events whose facility could not be read stand here for each of your facilities."
    >
      <Loaded query={query}>
        {({ total, rejections }) =>
          rejections.length === 0 ? (
            <Empty title="No event was rejected">
              An event that breaks a rule, such as an unknown device or an overlap, appears here
              with its reason.
            </Empty>
          ) : (
            <Stack gap="sm">
              <DataTable
                caption="Table of rejected events"
                rows={rejections.map((r, i) => ({ ...r, key: `${offset + i}` }))}
                rowKey={(r) => r.key}
                columns={[
                  { head: "Received", cell: (r) => <Instant seconds={r.received_at_s} /> },
                  {
                    head: "Reason",
                    cell: (r) => (
                      <Stack gap={0} miw={280} maw={420}>
                        <Text size="sm" fw={600} className="hash">
                          {r.code}
                        </Text>
                        <Text size="sm" style={{ overflowWrap: "anywhere" }}>
                          {r.detail}
                        </Text>
                      </Stack>
                    ),
                  },
                  { head: "Device", cell: (r) => <Sent text={r.device} /> },
                  { head: "Source", cell: (r) => <Sent text={r.source} /> },
                  { head: "Event id", cell: (r) => <Sent text={r.id} /> },
                ]}
              />
              <Pager
                total={total}
                offset={offset}
                limit={PAGE}
                onOffset={setOffset}
                label="Pages of rejected events"
              />
            </Stack>
          )
        }
      </Loaded>
    </Section>
  );
}
