import { Anchor, Group, NativeSelect } from "@mantine/core";
import { useState } from "react";
import { Link } from "react-router";
import { usePaid } from "../../chain/paid";
import { gpuHours, grouped } from "../../format/money";
import { statementName } from "../../format/statement";
import { sentenceCase } from "../../format/text";
import { STATEMENT_STATES } from "../../generated/states";
import { Amount } from "../../parts/Amount";
import { type Column, DataTable } from "../../parts/DataTable";
import { Empty } from "../../parts/Empty";
import { EpochStatus } from "../../parts/EpochStatus";
import { Hash } from "../../parts/Hash";
import { Instant } from "../../parts/Instant";
import { Loaded } from "../../parts/Loaded";
import { Pager } from "../../parts/Pager";
import { Section } from "../../parts/Section";
import { Downloads } from "./Downloads";
import { type Facility, type StatementRow, useFacilities, useStatements } from "./queries";

const LIMIT = 10;

const STATES = [
  { value: "", label: "All states" },
  ...STATEMENT_STATES.map((name) => ({
    value: name,
    label: name === "settled" ? "Counted by a settlement" : sentenceCase(name),
  })),
];

/** Statements of one facility, newest first, each leading to its page. */
export function Statements() {
  const query = useFacilities();
  return (
    <Section
      title="Statements"
      about="One a facility and epoch, and behind its last epoch a closing statement of what came late; all chained by hash. Open one to check it in your browser."
    >
      <Loaded query={query}>
        {(facilities) =>
          facilities.length === 0 ? (
            <Empty title="No facility is registered">
              Statements begin with the first closed epoch.
            </Empty>
          ) : (
            <OfFacilities facilities={facilities} />
          )
        }
      </Loaded>
    </Section>
  );
}

function OfFacilities({ facilities }: { facilities: Facility[] }) {
  const [chosen, setChosen] = useState(facilities[0]?.facility_id ?? 0);
  const [state, setState] = useState<StatementRow["state"] | null>(null);
  const [offset, setOffset] = useState(0);
  const facility = facilities.find((f) => f.facility_id === chosen) ?? facilities[0];
  const query = useStatements(facility?.facility_id ?? 0, state, offset, LIMIT);
  return (
    <>
      <Group gap="sm">
        <NativeSelect
          label="Facility"
          size="sm"
          value={String(chosen)}
          onChange={(event) => {
            setChosen(Number(event.currentTarget.value));
            setOffset(0);
          }}
          data={facilities.map((f) => ({ value: String(f.facility_id), label: f.name }))}
        />
        <NativeSelect
          label="State"
          size="sm"
          value={state ?? ""}
          onChange={(event) => {
            setState(STATEMENT_STATES.find((name) => name === event.currentTarget.value) ?? null);
            setOffset(0);
          }}
          data={STATES}
        />
      </Group>
      <Loaded query={query}>
        {({ total, statements }) =>
          total === 0 ? (
            <Empty title={state === null ? "No epoch is closed yet" : `No statement is ${state}`}>
              {state === null &&
                "An epoch closes once its end and the grace time for its events are over; what comes later is stated by a later one."}
            </Empty>
          ) : (
            <>
              <StatementTable
                caption={`Statements of ${facility?.name ?? "the facility"}`}
                facilityId={facility?.facility_id ?? 0}
                rows={statements}
              />
              <Pager
                total={total}
                offset={offset}
                limit={LIMIT}
                onOffset={setOffset}
                label="Pages of statements"
              />
            </>
          )
        }
      </Loaded>
      <Downloads
        label="Documents of the facility"
        files={[
          { name: "deployment.json", path: "deployment.json" },
          { name: "facility.json", path: `facility-${chosen}/facility.json` },
        ]}
      />
    </>
  );
}

const epochPath = (row: StatementRow) => `/facilities/${row.facility_id}/epochs/${row.epoch}`;

function StatementTable({
  caption,
  facilityId,
  rows,
}: {
  caption: string;
  facilityId: number;
  rows: readonly StatementRow[];
}) {
  const counted = rows.filter((row) => row.state === "settled");
  const { data: paid } = usePaid(
    facilityId,
    counted.map((row) => ({ epoch: row.epoch, grossMicros: row.gross_revenue_micros })),
  );
  return (
    <DataTable
      caption={caption}
      columns={columnsOf(paid)}
      rows={rows}
      rowKey={(row) => row.epoch}
    />
  );
}

const columnsOf = (paid: ReadonlyMap<number, bigint> | undefined): Column<StatementRow>[] => [
  {
    head: "Epoch",
    rowHead: true,
    cell: (row) => (
      <Anchor component={Link} to={epochPath(row)} inherit aria-label={statementName(row)}>
        {row.closing ? statementName(row) : grouped(row.epoch)}
      </Anchor>
    ),
  },
  { head: "From", cell: (row) => <Instant seconds={row.epoch_start_s} /> },
  { head: "To", cell: (row) => <Instant seconds={row.epoch_end_s} /> },
  {
    head: "State",
    cell: (row) => (
      <EpochStatus
        state={row.state}
        grossMicros={row.gross_revenue_micros}
        paid={paid?.get(row.epoch)}
      />
    ),
  },
  { head: "Billed GPU-h", number: true, cell: (row) => gpuHours(row.billed_gpu_seconds) },
  {
    head: "Gross revenue",
    number: true,
    cell: (row) => <Amount micros={row.gross_revenue_micros} />,
  },
  { head: "Lines", number: true, cell: (row) => grouped(row.line_count) },
  { head: "Signatures", number: true, cell: (row) => row.attesters.length },
  { head: "Posted", cell: (row) => <Instant seconds={row.posted_at_s} /> },
  { head: "Statement hash", cell: (row) => <Hash value={row.statement_hash} /> },
];
