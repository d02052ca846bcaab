/** Compares a pasted record with what the contracts store. */

import type { Hex } from "viem";
import { hexOf, sameHex } from "./bytes";
import { type Check, compared, sentence } from "./check";
import { parseManifest, pathOf, sha256 } from "./evidence";
import { type Line, fieldsOf, isCounted, leafOf } from "./line";
import { type LineSources, lineChecks, statementChecks } from "./lineChecks";
import { periodOf } from "./period";
import { type Place, type PastedRecord, lineFromJson, recognise } from "./record";

/** A facility and its closed epochs: where a record can be from. */
export interface Span {
  facilityId: bigint;
  windowStartS: number;
  epochLengthS: number;
  epochsClosed: number;
  /** Number of its closing statement, made or not; null where it will have none. */
  closing: number | null;
}

export interface JudgeSources extends LineSources {
  spans: () => Promise<Span[]>;
  /** The service's proof of a line, as JSON; null if there is no such line. What it says is checked, not believed. */
  proof: (place: Place, index: number) => Promise<{ line: unknown; proof: string[] } | null>;
}

export interface Verdict {
  /** What the record is, in words. */
  what: string;
  place: Place | null;
  /** Whether the place is the closing statement of its facility, by the chain. */
  closing: boolean;
  index: number | null;
  checks: Check[];
  /** Fields in which a line differs from the published one at its place. */
  fields: { name: string; yours: string; published: string }[];
}

type Found = Omit<Verdict, "closing">;

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
/** Places that are searched at most; beyond that a person must say where the record is from. */
const MOST_PLACES = 2_000;

/** Numbers of statements that a facility can have: of its closed epochs, and behind the last the closing one. */
function numbersOf({ epochsClosed, closing }: Span): number[] {
  const behind = closing !== null && epochsClosed >= closing;
  const count = behind ? closing + 1 : epochsClosed;
  return Array.from({ length: count }, (_, number) => number);
}

/** Places that a line can be from, the likeliest first. */
export function placesFor(spans: readonly Span[], line: Line, hint: Partial<Place>): Place[] {
  const places: Place[] = [];
  for (const span of spans) {
    if (hint.facilityId !== undefined && hint.facilityId !== span.facilityId) continue;
    const own = Math.floor((Number(line.startS) - span.windowStartS) / span.epochLengthS);
    for (const epoch of numbersOf(span)) {
      if (hint.epoch !== undefined && hint.epoch !== epoch) continue;
      // Usage and delivery lie in their epoch; what is late, voids and differences may come later. The closing
      // statement takes differences of the whole seal.
      const fits = isCounted(line.kind) ? epoch === own : epoch >= own || epoch === span.closing;
      if (fits || hint.epoch !== undefined) places.push({ facilityId: span.facilityId, epoch });
    }
  }
  return places.slice(0, MOST_PLACES);
}

function differing(line: Line, published: Line): Verdict["fields"] {
  const theirs = fieldsOf(published);
  return fieldsOf(line).flatMap(([name, yours], i) => {
    const value = theirs[i]?.[1] ?? "";
    return value === yours ? [] : [{ name, yours, published: value }];
  });
}

async function judgeLine(
  record: Extract<PastedRecord, { type: "proof" | "line" }>,
  hint: Partial<Place>,
  sources: JudgeSources,
): Promise<Found> {
  const { line } = record;
  const what =
    record.type === "proof" ? `a proof of line ${line.index}` : `line ${line.index} of lines.csv`;
  const saidLeaf = record.type === "proof" ? record.leaf : null;
  const places =
    record.place !== null ? [record.place] : placesFor(await sources.spans(), line, hint);
  // A leaf binds facility and epoch: the place whose leaf is the given one needs no search.
  const byLeaf =
    saidLeaf === null
      ? undefined
      : places.find((p) => sameHex(hexOf(leafOf(p.facilityId, p.epoch, line)), saidLeaf));
  let nearest: { place: Place; published: Line; proof: Hex[]; fields: Verdict["fields"] } | null =
    null;
  for (const place of byLeaf !== undefined ? [byLeaf] : places) {
    const found = await sources.proof(place, line.index);
    if (found === null) continue;
    const published = lineFromJson(found.line);
    const fields = differing(line, published);
    if (nearest === null || fields.length < nearest.fields.length) {
      nearest = { place, published, proof: found.proof as Hex[], fields };
    }
    if (fields.length === 0) break;
  }
  const place = byLeaf ?? record.place ?? nearest?.place ?? null;
  if (place === null) {
    const note =
      places.length === 0
        ? "Its time lies in no statement of a facility that this service knows."
        : `None of the ${places.length} statements that it can be from has a line ${line.index}.`;
    const check: Check = { id: "place", title: "Where it is from", state: "different", note };
    return { what, place: null, index: line.index, checks: [check], fields: [] };
  }
  const proof = record.type === "proof" ? record.proof : (nearest?.proof ?? []);
  const checks = await lineChecks(sources, place, line, proof, saidLeaf);
  return { what, place, index: line.index, checks, fields: nearest?.fields ?? [] };
}

function placesOfFile(
  spans: readonly Span[],
  firstLine: Line | null,
  hint: Partial<Place>,
): Place[] {
  return (
    firstLine !== null
      ? placesFor(spans, firstLine, hint)
      : spans.flatMap((s) => numbersOf(s).map((epoch) => ({ facilityId: s.facilityId, epoch })))
  ).filter(
    (p) =>
      (hint.facilityId === undefined || hint.facilityId === p.facilityId) &&
      (hint.epoch === undefined || hint.epoch === p.epoch),
  );
}

async function judgeManifest(
  place: Place,
  ours: NonNullable<Check["ours"]>,
  sources: JudgeSources,
): Promise<Found> {
  const { statement, checks } = await statementChecks(sources, place, null);
  checks.push(
    statement === null
      ? {
          id: "evidence",
          title: "Evidence hash",
          state: "unknown",
          ours,
          note: "No confirmed statement.",
        }
      : compared("evidence", "Evidence hash", ours, {
          value: statement.evidenceHash,
          from: "evidence_hash of the statement whose hash the chain stores",
        }),
  );
  return { what: "manifest.json", place: place, index: null, checks, fields: [] };
}

async function judgeFile(
  record: Extract<PastedRecord, { type: "file" | "facility" | "manifest" }>,
  bytes: Uint8Array,
  hint: Partial<Place>,
  sources: JudgeSources,
): Promise<Found> {
  const digest = await sha256(bytes);
  const name = record.type === "file" ? record.name : `${record.type}.json`;
  const ours = { value: digest, from: `SHA-256 of the ${bytes.length} bytes you gave` };
  if (record.type === "facility") {
    const known = await sources.chain.facility(record.facilityId);
    const theirs = {
      value: known?.termsHash ?? "none",
      from: `FacilityRegistry.termsOf(${record.facilityId})`,
    };
    const check = compared("terms", "Terms hash", ours, theirs);
    return { what: name, place: null, index: null, checks: [check], fields: [] };
  }
  if (record.type === "manifest") {
    return judgeManifest(record.place, ours, sources);
  }
  const spans = await sources.spans();
  const places = placesOfFile(spans, record.firstLine, hint);
  for (const place of places.slice(0, MOST_PLACES)) {
    const bound = await sources
      .evidence(pathOf(place.facilityId, place.epoch, "manifest.json"))
      .catch(() => null);
    if (bound === null) continue;
    const listed = parseManifest(text(bound)).files.find((file) => file.name === name);
    const only = places.length === 1;
    if (listed === undefined || (listed.sha256 !== digest && !only)) continue;
    const inManifest = compared("file", `SHA-256 of ${name}`, ours, {
      value: listed.sha256,
      from: "manifest.json",
    });
    const { checks } = await judgeFile({ type: "manifest", place }, bound, {}, sources);
    const named = checks.map((c) =>
      c.ours && c.id === "evidence"
        ? { ...c, ours: { ...c.ours, from: "SHA-256 of manifest.json" } }
        : c,
    );
    return { what: name, place, index: null, checks: [inManifest, ...named], fields: [] };
  }
  const note = `None of the ${places.length} manifests that were searched lists a ${name} with this SHA-256. Say the facility and epoch to compare with one.`;
  return {
    what: name,
    place: null,
    index: null,
    checks: [{ id: "file", title: `SHA-256 of ${name}`, state: "different", ours, note }],
    fields: [],
  };
}

/** Whether the chain says that a place is the closing statement of its facility; false where it says nothing. */
async function isClosing({ facilityId, epoch }: Place, { chain }: JudgeSources): Promise<boolean> {
  const known = await chain.facility(facilityId).catch(() => null);
  return known !== null && periodOf(known.schedule, epoch)?.closing === true;
}

/** What a pasted text or dropped file is, and whether the chain confirms it. Raises Error if it is nothing known. */
export async function judge(
  bytes: Uint8Array,
  hint: Partial<Place>,
  sources: JudgeSources,
): Promise<Verdict> {
  const found = await recordFound(bytes, hint, sources);
  return { ...found, closing: found.place !== null && (await isClosing(found.place, sources)) };
}

async function recordFound(
  bytes: Uint8Array,
  hint: Partial<Place>,
  sources: JudgeSources,
): Promise<Found> {
  const given = text(bytes);
  const record = recognise(given);
  switch (record.type) {
    case "proof":
    case "line":
      return judgeLine(record, hint, sources);
    case "statement": {
      const { checks } = await statementChecks(sources, record.place, given);
      return { what: "statement.json", place: record.place, index: null, checks, fields: [] };
    }
    case "attestations":
      throw new Error("attestations.json is checked on the page of its epoch, with its statement.");
    default:
      return judgeFile(record, bytes, hint, sources).catch((error: unknown) => {
        throw new Error(sentence(error));
      });
  }
}
