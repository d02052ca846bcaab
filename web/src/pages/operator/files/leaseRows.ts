/** What becomes of each row of a file of leases, in words. */

import { counted } from "../../../format/money";
import type { CheckedLeases, Result } from "./fileQueries";

/** `fresh`: it is, or would be, recorded. `known`: it was before. */
export type RowState = "fresh" | "known" | "refused";

export interface LeaseRow {
  line: number;
  lease: string;
  /** Of the first hour, and since when; null where the row could not be read. */
  price: { micros: number; from: string } | null;
  state: RowState;
  /** Why it is refused: a stable word, and a sentence. */
  code: string;
  why: string;
}

const SAID_OTHERWISE =
  "this lease was imported with other terms before: agree a new version of its terms";

/** Events of the rows that would be recorded, in the order of the file. */
export function eventsToSend({ file, results }: CheckedLeases): unknown[] {
  return file.rows.filter((_, i) => results[i]?.status === "accepted").map((row) => row.event);
}

/** Answers of all rows, where those that would be recorded were sent and answered. */
export function afterSending(
  { file, results }: CheckedLeases,
  sent: readonly Result[],
): CheckedLeases {
  const answers = [...sent];
  return {
    file,
    results: results.map((r) => (r.status === "accepted" ? (answers.shift() ?? r) : r)),
  };
}

/** The first price of the terms that an event says. */
function priceOf(event: { [key: string]: unknown }): LeaseRow["price"] {
  const data = (event["data"] ?? {}) as { prices?: { price: number; from: string }[] };
  const first = data.prices?.[0];
  return first === undefined ? null : { micros: first.price, from: first.from };
}

/** All rows in the order of the file. */
export function leaseRows({ file, results }: CheckedLeases): LeaseRow[] {
  const judged = file.rows.map(({ line, lease_id: lease, event }, i): LeaseRow => {
    const result = results[i];
    const price = priceOf(event);
    const fine = { line, lease, price, code: "", why: "" };
    if (result?.status === "accepted") return { ...fine, state: "fresh" };
    if (result?.status === "duplicate") return { ...fine, state: "known" };
    const code = result?.code ?? "";
    const why = code === "id_conflict" ? SAID_OTHERWISE : (result?.detail ?? "");
    return { line, lease, price, state: "refused", code, why };
  });
  const refused = file.refused.map(({ line, name, reason, detail }): LeaseRow => ({
    line,
    lease: name,
    price: null,
    state: "refused",
    code: reason,
    why: detail,
  }));
  return [...judged, ...refused].sort((a, b) => a.line - b.line);
}

/** One sentence about all rows. */
export function summaryOf(rows: readonly LeaseRow[], sent: boolean): string {
  if (rows.length === 0) return "The file has no rows below its header.";
  const count = (state: RowState) => rows.filter((row) => row.state === state).length;
  const parts = [
    `${counted(count("fresh"), "lease")} ${sent ? "recorded" : "would be recorded"}`,
    `${count("known")} there already`,
    `${count("refused")} refused`,
  ];
  return `${parts.join(", ")}.${sent ? "" : " Nothing is recorded yet."}`;
}
