import { Anchor, NativeSelect } from "@mantine/core";
import { useState } from "react";
import { Link } from "react-router";
import { gpuHours, grouped } from "../../format/money";
import { statementWords } from "../../format/statement";
import { sentenceCase } from "../../format/text";
import { Amount } from "../../parts/Amount";
import { type Column, DataTable } from "../../parts/DataTable";
import { Empty } from "../../parts/Empty";
import { Hash } from "../../parts/Hash";
import { Instant } from "../../parts/Instant";
import { Loaded } from "../../parts/Loaded";
import { Pager } from "../../parts/Pager";
import { Section } from "../../parts/Section";
import { KINDS } from "../../verify/line";
import { type ApiLine, type StatementRow, useLines } from "./queries";

const LIMIT = 25;

export const kindName = (kind: string): string =>
  kind === "sla_difference" ? "SLA difference" : sentenceCase(kind);

/** Lines of a statement, with a way to the proof of each. They are sorted by kind, so a kind is a span. */
export function EpochLines({ statement }: { statement: StatementRow }) {
  const { facility_id, epoch, line_count } = statement;
  const [kind, setKind] = useState("");
  const [page, setPage] = useState(0);
  const [span, setSpan] = useState({ from: 0, count: line_count });
  const limit = Math.max(1, Math.min(LIMIT, span.count - page));
  const query = useLines(facility_id, epoch, span.from + page, limit);
  const kinds: Record<string, number> = query.data?.kinds ?? {};

  const choose = (chosen: string) => {
    const present = KINDS.filter((name) => (kinds[name] ?? 0) > 0);
    const before = present.slice(0, Math.max(0, present.indexOf(chosen as (typeof KINDS)[number])));
    const from = before.reduce((sum, name) => sum + (kinds[name] ?? 0), 0);
    setKind(chosen);
    setPage(0);
    setSpan(chosen === "" ? { from: 0, count: line_count } : { from, count: kinds[chosen] ?? 0 });
  };

  return (
    <Section
      title="Lines"
      about="Subject and lease are hashes: evidence names no renter. A subject is a device, or what a difference is about. A charge below zero gives back."
      actions={
        Object.keys(kinds).length > 1 && (
          <NativeSelect
            size="xs"
            aria-label="Kind of line"
            value={kind}
            onChange={(event) => choose(event.currentTarget.value)}
            data={[
              { value: "", label: `All kinds (${grouped(line_count)})` },
              ...Object.entries(kinds).map(([name, count]) => ({
                value: name,
                label: `${kindName(name)} (${grouped(count)})`,
              })),
            ]}
          />
        )
      }
    >
      {line_count === 0 ? (
        <Empty title="This statement has no lines">
          {statement.closing
            ? "Nothing came late and nothing was corrected"
            : "Nothing was used, delivered or credited in this epoch"}
          ; the root over no lines is zero.
        </Empty>
      ) : (
        <Loaded query={query}>
          {(data) => (
            <DataTable
              caption={`Lines of ${statementWords(statement)}`}
              columns={columnsOf(facility_id, epoch)}
              rows={data.lines}
              rowKey={(line) => line.index}
            />
          )}
        </Loaded>
      )}
      <Pager
        total={span.count}
        offset={page}
        limit={LIMIT}
        onOffset={setPage}
        label="Pages of lines"
      />
    </Section>
  );
}

function columnsOf(facilityId: number, epoch: number): Column<ApiLine>[] {
  return [
    {
      head: "Line",
      rowHead: true,
      cell: (line) => (
        <Anchor
          component={Link}
          to={`/facilities/${facilityId}/epochs/${epoch}/lines/${line.index}`}
          aria-label={`Line ${line.index}, proof`}
          inherit
        >
          {grouped(line.index)}
        </Anchor>
      ),
    },
    { head: "Kind", cell: (line) => kindName(line.kind) },
    {
      head: "Subject",
      cell: (line) => <Hash value={line.subject} copy={false} />,
    },
    { head: "Lease", cell: (line) => <Hash value={line.lease} copy={false} /> },
    { head: "From", cell: (line) => <Instant seconds={line.start_s} /> },
    { head: "To", cell: (line) => <Instant seconds={line.end_s} /> },
    {
      head: "GPU-seconds",
      number: true,
      cell: (line) => (
        <span title={`${gpuHours(line.gpu_seconds)} GPU-hours`}>{grouped(line.gpu_seconds)}</span>
      ),
    },
    {
      head: "Charge",
      number: true,
      cell: (line) => <Amount micros={line.charge_micros} digits={6} />,
    },
  ];
}
