/** Bills in words: how far a month came, what a document is called, and where its files are. */

import type { Schemas } from "../../../api/client";
import type { Tone } from "../../../parts/Status";

export type Bills = Schemas["BillsOut"];
export type BillMonth = Schemas["BillMonthOut"];
export type ListedBill = Schemas["ListedBillOut"];

const STATES: Record<string, { word: string; tone: Tone }> = {
  draft: { word: "draft", tone: "quiet" },
  ready: { word: "to be issued", tone: "warning" },
  issued: { word: "issued", tone: "good" },
  note_ready: { word: "note to be issued", tone: "warning" },
};

/** How far the billing of a lease and month came. */
export function monthState(state: string): { word: string; tone: Tone } {
  return STATES[state] ?? { word: state, tone: "quiet" };
}

const KINDS: Record<string, string> = {
  bill: "Bill",
  credit_note: "Credit note",
  debit_note: "Debit note",
};

/** "Credit note 000018 of 000017". */
export function documentName({ kind, number, corrects }: ListedBill): string {
  const of = corrects === null ? "" : ` of ${padded(corrects)}`;
  return `${KINDS[kind] ?? kind} ${padded(number)}${of}`;
}

const padded = (number: number): string => String(number).padStart(6, "0");

/** Forms in which a document is to be had. */
export const FORMS = ["html", "pdf", "csv", "json"] as const;
export type Form = (typeof FORMS)[number];

/** Address of a document. */
export function documentPath(facilityId: number, number: number, form: Form): string {
  return `/v1/console/facilities/${facilityId}/bills/${number}.${form}`;
}

/** Address of what the next document of a lease and month would say. */
export function draftPath(facilityId: number, { month, lease_id }: BillMonth): string {
  const query = new URLSearchParams({ month, lease_id });
  return `/v1/console/facilities/${facilityId}/bills/draft.html?${query.toString()}`;
}

/** How many leases and months wait for a document. */
export function waiting({ months }: Bills): number {
  return months.filter((m) => m.state === "ready" || m.state === "note_ready").length;
}
