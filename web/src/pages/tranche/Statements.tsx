import { Anchor, Stack } from "@mantine/core";
import { Suspense, lazy, useState } from "react";
import { Link } from "react-router";
import { grouped } from "../../format/money";
import { statementName } from "../../format/statement";
import { date, instant } from "../../format/time";
import { Amount } from "../../parts/Amount";
import { type Column, DataTable } from "../../parts/DataTable";
import { Empty } from "../../parts/Empty";
import { EpochStatus } from "../../parts/EpochStatus";
import { TxHash } from "../../parts/Hash";
import { Loaded } from "../../parts/Loaded";
import { Pager } from "../../parts/Pager";
import { Section } from "../../parts/Section";
import { Unknown } from "../../parts/Unknown";
import { type Statement, type Tranche, useStatements } from "./queries";

// Asks the node, which needs more code than the rest of the page.
const PaidStatus = lazy(async () => ({ default: (await import("./PaidStatus")).PaidStatus }));

const PAGE = 10;

const columns: Column<Statement>[] = [
  {
    head: "Epoch",
    rowHead: true,
    cell: (s) => (
      <Anchor component={Link} to={`/facilities/${s.facility_id}/epochs/${s.epoch}`} inherit>
        {statementName(s)}
      </Anchor>
    ),
  },
  { head: "From", cell: (s) => <Day seconds={s.epoch_start_s} /> },
  { head: "To", cell: (s) => <Day seconds={s.epoch_end_s} /> },
  {
    head: "State",
    cell: (s) => (
      <Suspense fallback={<EpochStatus state={s.state} grossMicros={null} paid={undefined} />}>
        <PaidStatus statement={s} />
      </Suspense>
    ),
  },
  { head: "Gross revenue", number: true, cell: (s) => <Amount micros={s.gross_revenue_micros} /> },
  { head: "Lines", number: true, cell: (s) => grouped(s.line_count) },
  { head: "Attesters", number: true, cell: (s) => s.attesters.length },
  {
    head: "Transaction",
    cell: (s) => (s.posted_tx === null ? <Unknown /> : <TxHash hash={s.posted_tx} />),
  },
];

function Day({ seconds }: { seconds: number }) {
  return (
    <time title={instant(seconds)} style={{ whiteSpace: "nowrap" }}>
      {date(seconds)}
    </time>
  );
}

/** Statements of the facility, newest first, each with how far it came. */
export function Statements({ tranche }: { tranche: Tranche }) {
  const [offset, setOffset] = useState(0);
  const query = useStatements(tranche.facility_id, offset, PAGE);
  return (
    <Section
      title="Statements"
      anchor="statements"
      about="One for every epoch, and a closing statement of what came late, which may be below zero. Posted: on-chain with enough signatures, open to challenge. Final: the challenge window is over and no fault was proven. Counted: a settlement made its coupons due; settled only as far as its rent was paid."
    >
      <Loaded query={query} lines={6}>
        {({ total, statements }) =>
          total === 0 ? (
            <Empty title="No statement yet">
              The first epoch closes after{" "}
              {instant(tranche.window_start_s + tranche.epoch_length_s)} and is then recomputed and
              signed by attesters.
            </Empty>
          ) : (
            <Stack gap="sm">
              <DataTable
                caption="Statements, newest first"
                columns={columns}
                rows={statements}
                rowKey={(s) => s.epoch}
              />
              <Pager
                label="Pages of statements"
                total={total}
                offset={offset}
                limit={PAGE}
                onOffset={setOffset}
              />
            </Stack>
          )
        }
      </Loaded>
    </Section>
  );
}
