import { Anchor, Stack, Text } from "@mantine/core";
import { useService } from "../../api/service";
import { gpuHours, grouped } from "../../format/money";
import { Amount } from "../../parts/Amount";
import { type Column, DataTable } from "../../parts/DataTable";
import { Empty } from "../../parts/Empty";
import { Figure, Figures } from "../../parts/Figure";
import { Loaded } from "../../parts/Loaded";
import { Notice } from "../../parts/Notice";
import { Section } from "../../parts/Section";
import { Status } from "../../parts/Status";
import { type Compared, NamedDifferences } from "./NamedDifferences";
import { type Reconciliation as Row, useFacilities, useReconciliation } from "./queries";

/** Metered, rated, attested, collected and settled, claimed: in total and by facility, exceptions first. */
export function Reconciliation() {
  const query = useReconciliation();
  const { data: facilities } = useFacilities();
  const symbol = useService().settlement_token?.symbol ?? "";
  const nameOf = (row: Row) =>
    facilities?.find((f) => f.facility_id === row.facility_id)?.name ??
    `Facility ${row.facility_id}`;
  return (
    <Section
      title="Do the numbers reconcile?"
      about={`Computed by this service from its ledger and from the events of the contracts that it indexed.${symbol === "" ? "" : ` Money in ${symbol}.`}`}
    >
      <Loaded query={query} lines={8}>
        {(data) =>
          data.facilities.length === 0 ? (
            <Empty title="No facility is registered">
              Once an operator registers one and pushes metering, its numbers stand here.
            </Empty>
          ) : (
            <Stack gap="md">
              <Verdict rows={data.facilities} block={data.indexed_block ?? null} nameOf={nameOf} />
              <Totals total={data.total} />
              <FiveNumbers rows={data.facilities} total={data.total} nameOf={nameOf} />
              <NamedDifferences rows={data.facilities} total={data.total} nameOf={nameOf} />
            </Stack>
          )
        }
      </Loaded>
    </Section>
  );
}

function Verdict(props: { rows: Row[]; block: number | null; nameOf: (row: Row) => string }) {
  const wrong = props.rows.filter((row) => !row.balanced);
  const asOf = props.block === null ? "" : `, as of block ${grouped(props.block)}`;
  if (wrong.length === 0) {
    return (
      <Notice tone="good">
        The service finds every difference named and no mismatch{asOf}. This is its own computation;{" "}
        <Anchor href="#verify-yourself" inherit underline="always">
          recompute it yourself
        </Anchor>{" "}
        without the service.
      </Notice>
    );
  }
  return (
    <Notice tone="bad" alert>
      <Text fw={650} size="sm">
        {wrong.length === 1 ? "One facility does" : `${wrong.length} facilities do`} not reconcile
        {asOf}.
      </Text>
      <ul>
        {wrong.map((row) => (
          <li key={row.facility_id}>
            {props.nameOf(row)}:
            <ul>
              {row.mismatches.map((sentence) => (
                <li key={sentence}>{sentence}</li>
              ))}
            </ul>
          </li>
        ))}
      </ul>
    </Notice>
  );
}

function Totals({ total }: { total: Row }) {
  return (
    <Figures cols={6}>
      <Figure
        name="Metered GPU-hours"
        value={gpuHours(total.metered_gpu_seconds)}
        source="Standing usage and delivery of the usage ledger: accepted events less what corrections took back."
      />
      <Figure
        name="Rated"
        value={<Amount micros={total.rated_micros} />}
        source="Charges of all lines of the service's statements, closing statements with them."
      />
      <Figure
        name="Attested"
        value={<Amount micros={total.attested_micros} />}
        source="Gross revenue of statements that stand on StatementRegistry, from its events."
      />
      <Figure
        name="Collected"
        value={<Amount micros={total.collected_micros} />}
        source="Rent paid into RentLockbox less refunds, from its events."
      />
      <Figure
        name="Settled"
        value={<Amount micros={total.settled_micros} />}
        source="Paid out of RentLockbox down the waterfall, fees included, from its events."
      />
      <Figure
        name="Claimed"
        value={<Amount micros={total.claimed_micros} />}
        source="Taken by holders, from TrancheToken's events. Can pass settled where a closing gave holders bond and sale proceeds too."
      />
    </Figures>
  );
}

const NUMBERS = ["rated", "attested", "collected", "settled", "claimed"] as const;

function FiveNumbers({ rows, total, nameOf }: Compared) {
  // Exceptions first.
  const ordered = [...rows].sort((a, b) => Number(a.balanced) - Number(b.balanced));
  const columns: Column<Row>[] = [
    {
      head: "Facility",
      rowHead: true,
      cell: (row) => (row === total ? "All facilities" : nameOf(row)),
    },
    { head: "Metered GPU-h", number: true, cell: (row) => gpuHours(row.metered_gpu_seconds) },
    ...NUMBERS.map((name) => ({
      head: name.charAt(0).toUpperCase() + name.slice(1),
      number: true,
      cell: (row: Row) => <Amount micros={row[`${name}_micros`]} />,
    })),
    {
      head: "Service says",
      cell: (row) => (
        <Status state="" tone={row.balanced ? "good" : "bad"}>
          {row.balanced ? "Balanced" : "Mismatch"}
        </Status>
      ),
    },
  ];
  return (
    <DataTable
      caption="The five numbers by facility"
      columns={columns}
      rows={[...ordered, total]}
      rowKey={(row) => row.facility_id ?? "total"}
    />
  );
}
