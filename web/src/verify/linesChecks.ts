/** A report over lines.csv as comparisons with its statement. */

import { type Check, type Side, compared } from "./check";
import type { Breach, LinesReport } from "./recompute";
import type { Statement } from "./statement";

const STATEMENT = "the statement";

function whereOf(breach: Breach): string {
  const more = breach.count > 1 ? ` (${breach.count} lines in all)` : "";
  return `Line ${breach.line}: ${breach.what}${more}.`;
}

function ruled(named: { id: string; title: string }, count: number, breach: Breach | null): Check {
  const from = "lines.csv";
  if (breach === null)
    return { ...named, state: "equal", ours: { value: `${count} lines keep it`, from } };
  const ours: Side = { value: `${breach.count} of ${count} lines break it`, from };
  return { ...named, state: "different", ours, note: whereOf(breach) };
}

/** `report` is a sentence where a row of lines.csv cannot be read: then every check differs, and says which row. */
export function linesChecks(
  names: readonly { id: string; title: string }[],
  statement: Statement,
  report: LinesReport | string,
  pledgeKnown: boolean,
): Check[] {
  if (typeof report === "string") {
    return names.map((named, i) =>
      i === 0
        ? { ...named, state: "different", note: report }
        : { ...named, state: "unknown", note: "lines.csv could not be read to its end." },
    );
  }
  const lines = report.count;
  const made = (named: { id: string; title: string }): Check => {
    const { id, title } = named;
    switch (id) {
      case "count":
        return compared(
          id,
          title,
          { value: String(lines), from: "rows of lines.csv" },
          { value: String(statement.lineCount), from: STATEMENT },
        );
      case "root":
        return compared(
          id,
          title,
          { value: report.root, from: `Merkle root over ${lines} leaves of lines.csv` },
          { value: statement.usageRoot, from: `usage_root of ${STATEMENT}` },
          report.sums === null && report.order === null
            ? "Some line is not as stated, or is missing; the tree alone does not say which. See the other checks."
            : "See which line below.",
        );
      case "gpuSeconds":
        return compared(
          id,
          title,
          { value: String(report.gpuSeconds), from: "sum over lines.csv" },
          { value: String(statement.billedGpuSeconds), from: STATEMENT },
        );
      case "charge":
        return compared(
          id,
          title,
          { value: `${report.chargeMicros} micros`, from: "sum over lines.csv" },
          { value: `${statement.grossRevenue} micros`, from: STATEMENT },
        );
      case "order":
        return ruled(named, lines, report.order);
      case "sums":
        return ruled(named, lines, report.sums);
      case "contents":
        return ruled(named, lines, report.contents);
      case "overlap":
        return ruled(named, lines, report.overlap);
      default:
        return pledgeKnown
          ? ruled(named, lines, report.pledge)
          : { ...named, state: "unknown", note: "facility.json could not be read." };
    }
  };
  return names.map(made);
}
