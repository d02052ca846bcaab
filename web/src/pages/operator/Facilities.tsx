import { Anchor, Button, Group, Stack, Text } from "@mantine/core";
import { Link } from "react-router";
import { grouped } from "../../format/money";
import { date, instant } from "../../format/time";
import { LIVE_FACILITY_STATES } from "../../generated/states";
import { Amount } from "../../parts/Amount";
import { DataTable } from "../../parts/DataTable";
import { Empty } from "../../parts/Empty";
import { Section } from "../../parts/Section";
import { Status } from "../../parts/Status";
import type { ConsoleFacility } from "./queries";

/** Every facility of the operator, and how far each came. */
export function Facilities({ facilities }: { facilities: readonly ConsoleFacility[] }) {
  return (
    <Section title="Facilities">
      {facilities.length === 0 ? (
        <Empty title="You have no facility yet">
          <Stack gap="sm" align="center">
            <Text size="sm">
              A facility is a set of GPUs that you pledge for a delivery window. Investors buy its
              units; rent pays them.
            </Text>
            <Button component={Link} to="/operator?offer">
              Offer your first facility
            </Button>
          </Stack>
        </Empty>
      ) : (
        <FacilityTable facilities={facilities} />
      )}
      <Text size="xs" c="dimmed">
        Closed, posted and counted are numbers of epochs: closed in the books, posted on-chain with
        enough signatures, counted by a settlement, which pays as far as rent came.
      </Text>
    </Section>
  );
}

function FacilityTable({ facilities }: { facilities: readonly ConsoleFacility[] }) {
  return (
    <DataTable
      caption="Your facilities"
      rows={facilities}
      rowKey={(f) => f.facility_id}
      columns={[
        {
          head: "Facility",
          rowHead: true,
          cell: (f) => (
            <Stack gap={0} miw={150} maw={280}>
              <Anchor
                component={Link}
                to={`/operator/${f.facility_id}`}
                fw={600}
                style={{ overflowWrap: "anywhere" }}
              >
                {f.name}
              </Anchor>
              <Text size="xs" c="dimmed">
                {f.gpu_class} · {f.site}
              </Text>
            </Stack>
          ),
        },
        { head: "State", cell: (f) => <Status state={f.state} /> },
        {
          head: "Delivery window",
          cell: (f) => (
            <Text
              size="sm"
              className="figures"
              title={`${instant(f.window_start_s)} to ${instant(f.window_end_s)}`}
              style={{ whiteSpace: "nowrap" }}
            >
              {date(f.window_start_s)} – {date(f.window_end_s)}
            </Text>
          ),
        },
        { head: "Closed", number: true, cell: (f) => grouped(f.epochs_closed) },
        { head: "Posted", number: true, cell: (f) => grouped(f.epochs_posted) },
        { head: "Counted", number: true, cell: (f) => grouped(f.epochs_settled) },
        {
          head: "Receivable",
          number: true,
          cell: (f) => <Amount micros={f.receivable_micros} />,
        },
        { head: "Bond", number: true, cell: (f) => <Bond facility={f} /> },
      ]}
    />
  );
}

function Bond({ facility }: { facility: ConsoleFacility }) {
  const { bond_micros, required_bond_micros, state } = facility;
  const below =
    LIVE_FACILITY_STATES.has(state) &&
    bond_micros !== null &&
    required_bond_micros !== null &&
    bond_micros < required_bond_micros;
  return (
    <Group gap={6} justify="flex-end" wrap="nowrap">
      {below && <Status state="below" tone="warning" />}
      <Amount micros={bond_micros} />
    </Group>
  );
}
