/** What to search the log for: kept in the address, typed into a form, asked of the service. */

import { utcInput, utcSeconds } from "../forms/numbers";
import type { FieldErrors } from "../launch/offerForm";

export const KINDS = [
  { value: "", label: "Any kind" },
  { value: "usage", label: "Usage and deliveries" },
  { value: "allocation", label: "Allocations" },
  { value: "outage", label: "Outages" },
  { value: "seen", label: "Seen devices" },
  { value: "correction", label: "Corrections" },
  { value: "terms", label: "Terms of leases" },
  { value: "adjustment", label: "Adjustments" },
] as const;
export type Kind = Exclude<(typeof KINDS)[number]["value"], "">;

export interface SearchFields {
  kind: string;
  device: string;
  lease: string;
  from: string;
  to: string;
  id: string;
  source: string;
}

/** A search as the service takes it. */
export interface Search {
  kind?: Kind;
  device?: string;
  lease?: string;
  from_s?: number;
  to_s?: number;
  id?: string;
  source?: string;
  before?: string;
}

const TEXTS = ["device", "lease", "id", "source"] as const;
const TIMES = ["from", "to"] as const;

const kindOf = (text: string | null): Kind | null =>
  KINDS.find(
    (k): k is Extract<(typeof KINDS)[number], { value: Kind }> =>
      k.value !== "" && k.value === text,
  )?.value ?? null;

/** The search that an address names; what is no time or kind in it is left out. */
export function searchOf(params: URLSearchParams): Search {
  const found: Search = {};
  const kind = kindOf(params.get("kind"));
  if (kind !== null) found.kind = kind;
  for (const name of TEXTS) {
    const text = params.get(name);
    if (text !== null && text !== "") found[name] = text;
  }
  for (const name of TIMES) {
    const seconds = utcSeconds(params.get(name) ?? "");
    if (seconds !== null && seconds >= 0) found[`${name}_s`] = seconds;
  }
  const before = params.get("before");
  if (before !== null) found.before = before;
  return found;
}

/** The form of a search. */
export function fieldsOf(search: Search): SearchFields {
  const time = (seconds: number | undefined) => (seconds === undefined ? "" : utcInput(seconds));
  return {
    kind: search.kind ?? "",
    device: search.device ?? "",
    lease: search.lease ?? "",
    from: time(search.from_s),
    to: time(search.to_s),
    id: search.id ?? "",
    source: search.source ?? "",
  };
}

/** What a typed search puts into the address, without what is empty. */
export function addressOf(fields: SearchFields): Record<string, string> {
  const entries = Object.entries(fields).map(([name, text]) => [name, String(text).trim()]);
  return Object.fromEntries(entries.filter(([, text]) => text !== "")) as Record<string, string>;
}

/** What is wrong with a search, by field, before it is asked. */
export function searchErrors(fields: SearchFields): FieldErrors {
  const wrong: FieldErrors = {};
  for (const name of TIMES)
    if (fields[name] !== "" && utcSeconds(fields[name]) === null)
      wrong[name] = "Choose a day and a time.";
  if (fields.source.trim() !== "" && fields.id.trim() === "")
    wrong["id"] = "A source goes with an id.";
  const others = [fields.kind, fields.device, fields.lease, fields.from, fields.to];
  if (fields.id.trim() !== "" && others.some((text) => text.trim() !== ""))
    wrong["id"] = "An id names its event: search by nothing else but its source.";
  const ofLeases = fields.kind === "terms" || fields.kind === "adjustment";
  if (ofLeases && [fields.device, fields.from, fields.to].some((text) => text !== ""))
    wrong["kind"] = "Terms and adjustments are of a lease, and of no device and no time.";
  return wrong;
}
