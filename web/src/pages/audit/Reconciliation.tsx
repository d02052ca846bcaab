import { Anchor, Button, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { useService } from "../../api/service";
import { gpuHours, grouped } from "../../format/money";
import { Amount } from "../../parts/Amount";
import { type Column, DataTable } from "../../parts/DataTable";
import { Empty } from "../../parts/Empty";
import { Figure, Figures } from "../../parts/Figure";
import { Info } from "../../parts/Info";
import { Loaded } from "../../parts/Loaded";
import { Notice } from "../../parts/Notice";
import { Section } from "../../parts/Section";
import { Status } from "../../parts/Status";
import { DIFFERENCES, type Difference } from "./differences";
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
              <Named rows={data.facilities} total={data.total} nameOf={nameOf} />
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
        source="Charges of all lines of closed epochs, from the service's statements."
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
        source="Taken by holders, from TrancheToken's events. Can pass settled where bonds or sale proceeds were distributed to holders too."
      />
    </Figures>
  );
}

const NUMBERS = ["rated", "attested", "collected", "settled", "claimed"] as const;

interface Named {
  rows: Row[];
  total: Row;
  nameOf: (row: Row) => string;
}

function FiveNumbers({ rows, total, nameOf }: Named) {
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

function Named({ rows, total, nameOf }: Named) {
  const [everything, setEverything] = useState(false);
  // Those that are nothing everywhere explain nothing: they stand behind a button.
  const open = DIFFERENCES.filter(({ key }) =>
    [total, ...rows].some((row) => row.differences[key] !== 0),
  );
  const shown = everything ? DIFFERENCES : open;
  const quiet = DIFFERENCES.length - open.length;
  const cell = (row: Row, difference: Difference) => {
    const value = row.differences[difference.key];
    // A zero is an answer too, but the others are what to look at.
    if (value === 0) {
      return (
        <Text span size="sm" c="dimmed">
          0
        </Text>
      );
    }
    return difference.unit === "micros" ? (
      <Amount micros={value} digits={6} />
    ) : (
      <span className="figures">{grouped(value)} s</span>
    );
  };
  const columns: Column<Difference>[] = [
    {
      head: "Difference",
      rowHead: true,
      cell: (difference) => (
        <span style={{ whiteSpace: "nowrap" }}>
          {difference.name} <Info label={difference.name}>{difference.what}</Info>
        </span>
      ),
    },
    {
      head: "Stands between",
      cell: (difference) => <span style={{ whiteSpace: "nowrap" }}>{difference.between}</span>,
    },
    ...rows.map((row) => ({
      head: nameOf(row),
      number: true,
      cell: (difference: Difference) => cell(row, difference),
    })),
    { head: "All", number: true, cell: (difference) => cell(total, difference) },
  ];
  return (
    <Stack gap="xs" align="stretch">
      {shown.length > 0 && (
        <DataTable
          caption="What explains one number from the next"
          columns={columns}
          rows={shown}
          rowKey={(difference) => difference.key}
        />
      )}
      {quiet > 0 && (
        <Button
          variant="subtle"
          size="compact-sm"
          style={{ alignSelf: "flex-start" }}
          aria-expanded={everything}
          onClick={() => setEverything(!everything)}
        >
          {everything ? "Show only what is not zero" : `Show ${quiet} that are zero everywhere`}
        </Button>
      )}
    </Stack>
  );
}
