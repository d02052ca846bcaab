/** Recognises what somebody pasted or dropped: a proof, a line, or a file of evidence. */

import type { Hex } from "viem";
import { FORMAT } from "./evidence";
import { hash32, integer, objectOf, parseJson, type JsonObject } from "./json";
import type { Line } from "./line";
import { LINES_HEADER, kindNumber, parseRow, rowsOf } from "./linesCsv";

export interface Place {
  facilityId: bigint;
  epoch: number;
}

export type PastedRecord =
  | {
      type: "proof";
      line: Line;
      leaf: Hex | null;
      proof: Hex[];
      root: Hex | null;
      place: Place | null;
    }
  | { type: "line"; line: Line; place: Place | null }
  | { type: "statement"; place: Place }
  | { type: "manifest"; place: Place }
  | { type: "facility"; facilityId: bigint }
  | { type: "attestations" }
  /** Files that do not say of which epoch they are. */
  | {
      type: "file";
      name:
        | "lines.csv"
        | "batches.jsonl"
        | "facts.jsonl"
        | "terms.jsonl"
        | "credits.csv"
        | "state.jsonl";
      firstLine: Line | null;
    };

/** A line in the API's JSON. Raises Error. */
export function lineFromJson(value: unknown): Line {
  const found = objectOf(value, "line");
  const kind = kindNumber(found["kind"]);
  if (kind === null || !Number.isInteger(kind) || kind < 0 || kind > 255)
    throw new Error("kind is none");
  return {
    index: Number(integer(found, "index", 32)),
    kind,
    subject: hash32(found, "subject"),
    lease: hash32(found, "lease"),
    startS: integer(found, "start_s", 64),
    endS: integer(found, "end_s", 64),
    gpuSeconds: integer(found, "gpu_seconds", 64),
    chargeMicros: integer(found, "charge_micros", 128, true),
    cumulativeGpuSeconds: integer(found, "cumulative_gpu_seconds", 64),
    cumulativeChargeMicros: integer(found, "cumulative_charge_micros", 128, true),
  };
}

function placeIn(found: JsonObject): Place | null {
  if (!("facility_id" in found) || !("epoch" in found)) return null;
  return {
    facilityId: integer(found, "facility_id", 64),
    epoch: Number(integer(found, "epoch", 32)),
  };
}

function placeOf(found: JsonObject): Place {
  const place = placeIn(found);
  if (place === null) throw new Error("facility_id or epoch is missing");
  return place;
}

function hashes(value: unknown): Hex[] {
  if (!Array.isArray(value) || value.length > 64) throw new Error("proof is not a list of hashes");
  return value.map((node: unknown) => hash32({ node }, "node"));
}

function fromJson(text: string): PastedRecord {
  const value = parseJson(text);
  if (Array.isArray(value)) {
    const first = value[0] as JsonObject | undefined;
    if (first !== undefined && "signature" in first) return { type: "attestations" };
    throw new Error("this list is no file of evidence");
  }
  const found = objectOf(value, "the record");
  if ("line" in found && "proof" in found) {
    return {
      type: "proof",
      line: lineFromJson(found["line"]),
      leaf: "leaf" in found ? hash32(found, "leaf") : null,
      proof: hashes(found["proof"]),
      root: "root" in found ? hash32(found, "root") : null,
      place: placeIn(found),
    };
  }
  if ("usage_root" in found) return { type: "statement", place: placeOf(found) };
  if (found["format"] === FORMAT) return { type: "manifest", place: placeOf(found) };
  if ("devices" in found)
    return { type: "facility", facilityId: integer(found, "facility_id", 64) };
  if ("charge_micros" in found)
    return { type: "line", line: lineFromJson(found), place: placeIn(found) };
  throw new Error("this JSON is no proof, line or file of evidence");
}

function fromCsv(text: string): PastedRecord {
  const clean = text.replaceAll("\r\n", "\n");
  const rows = clean.trim().split("\n");
  if (rows[0] === "lease,amount") return { type: "file", name: "credits.csv", firstLine: null };
  if (rows.length === 1) return { type: "line", line: parseRow(rows[0] ?? "", 1), place: null };
  if (rows[0] !== LINES_HEADER) throw new Error("the first row is not the header of lines.csv");
  if (rows.length === 2) return { type: "line", line: parseRow(rows[1] ?? "", 2), place: null };
  return {
    type: "file",
    name: "lines.csv",
    firstLine: parseRow(rowsOf(`${rows.join("\n")}\n`)[0] ?? "", 2),
  };
}

/** A file of entries or facts, a JSON object a line; null if the text is none. */
function fromLog(text: string): PastedRecord | null {
  const [first = ""] = text.split("\n", 1);
  if (!first.startsWith('{"')) return null;
  try {
    const { fact, answers, sealed_month: sealed } = objectOf(parseJson(first), "the first line");
    if (sealed !== undefined) return { type: "file", name: "state.jsonl", firstLine: null };
    if (typeof answers === "string")
      return { type: "file", name: "batches.jsonl", firstLine: null };
    if (typeof fact !== "string") return null;
    const name = fact === "terms" ? "terms.jsonl" : "facts.jsonl";
    return { type: "file", name, firstLine: null };
  } catch {
    return null;
  }
}

/** What a text is. Raises Error with a sentence for people. */
export function recognise(text: string): PastedRecord {
  const start = text.trimStart();
  if (start === "") throw new Error("there is nothing to check");
  if (!start.startsWith("{") && !start.startsWith("[")) return fromCsv(start);
  return fromLog(start) ?? fromJson(start);
}
