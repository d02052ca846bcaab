import { Stack } from "@mantine/core";
import { statementWords } from "../../format/statement";
import { DataTable } from "../../parts/DataTable";
import { Notice } from "../../parts/Notice";
import { outcomeOf } from "../../verify/check";
import type { Verdict } from "../../verify/judge";
import type { Place } from "../../verify/record";
import { CheckRows } from "./CheckRows";

const placeName = ({ facilityId, epoch }: Place, closing: boolean): string =>
  `facility ${facilityId}, ${statementWords({ epoch, closing })}`;

/** What came of comparing a record: in one sentence, then comparison by comparison. */
export function RecordVerdict({ verdict }: { verdict: Verdict }) {
  const outcome = outcomeOf(verdict.checks);
  const where = verdict.place === null ? "" : ` of ${placeName(verdict.place, verdict.closing)}`;
  return (
    <Stack gap="sm">
      {outcome === "equal" && (
        <Notice tone="good">
          This is {verdict.what}
          {where}. All {verdict.checks.length} comparisons came out equal.
        </Notice>
      )}
      {outcome === "different" && (
        <Notice tone="bad" alert>
          This is {verdict.what}, and it is not what the chain confirms
          {verdict.place !== null && ` for ${placeName(verdict.place, verdict.closing)}`}.
          {verdict.fields.length > 0 &&
            ` It differs from the published line in ${verdict.fields.map((f) => f.name).join(", ")}.`}
        </Notice>
      )}
      {outcome === "unknown" && (
        <Notice tone="warning">
          This is {verdict.what}
          {where}. Not everything could be compared, so nothing is confirmed.
        </Notice>
      )}
      {verdict.fields.length > 0 && (
        <DataTable
          caption="Fields that differ from the published line"
          columns={[
            { head: "Field", rowHead: true, cell: (row) => row.name },
            { head: "Your record", cell: (row) => <span className="hash">{row.yours}</span> },
            {
              head: "Published line",
              cell: (row) => <span className="hash">{row.published}</span>,
            },
          ]}
          rows={verdict.fields}
          rowKey={(row) => row.name}
        />
      )}
      <CheckRows checks={verdict.checks} label="Comparisons of your record" />
    </Stack>
  );
}
