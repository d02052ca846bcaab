/** Recomputes what a statement says of its lines, from the text of lines.csv alone. */

import type { Hex } from "viem";
import { hexOf } from "./bytes";
import { type Line, LineEncoder, isDifference } from "./line";
import { parseRow, rowsOf } from "./linesCsv";
import { MerkleTree } from "./merkle";
import {
  type Bounds,
  type Window,
  contentsFault,
  orderFault,
  overlapAmong,
  sumsFault,
} from "./rules";

export interface LinesJob {
  facilityId: bigint;
  bounds: Bounds;
  /** Text of lines.csv. */
  text: string;
  /** Of facility.json; null leaves devices and window unchecked. */
  facility: (Window & { devices: readonly Hex[] }) | null;
}

/** First line that breaks a rule, and how many do. */
export interface Breach {
  line: number;
  what: string;
  count: number;
}

export interface LinesReport {
  count: number;
  root: Hex;
  /** Sums over the lines, not the sums that they claim. */
  gpuSeconds: bigint;
  chargeMicros: bigint;
  /** What the last line claims. */
  lastGpuSeconds: bigint;
  lastChargeMicros: bigint;
  order: Breach | null;
  sums: Breach | null;
  contents: Breach | null;
  overlap: Breach | null;
  pledge: Breach | null;
}

/** Part of the work that is done, 0 to 1. */
export type Share = number;

const STEP = 1_000;
const LEAVES_SHARE = 0.75;

function noted(found: Breach | null, line: number, what: string | null): Breach | null {
  if (what === null) return found;
  return found === null ? { line, what, count: 1 } : { ...found, count: found.count + 1 };
}

/** Does the work in steps, so that it can run beside a page that stays alive. Raises Error for a broken row. */
export function* recompute(job: LinesJob): Generator<Share, LinesReport> {
  const rows = rowsOf(job.text);
  const encoder = new LineEncoder(job.facilityId, job.bounds.epoch);
  const pledged = job.facility === null ? null : new Set<string>(job.facility.devices);
  const lines: Line[] = [];
  const leaves: Uint8Array[] = [];
  const found = { order: null, sums: null, contents: null, pledge: null } as Pick<
    LinesReport,
    "order" | "sums" | "contents" | "pledge"
  >;
  let gpuSeconds = 0n;
  let chargeMicros = 0n;
  let before: Line | null = null;
  for (const [i, row] of rows.entries()) {
    const line = parseRow(row, i + 2);
    lines.push(line);
    leaves.push(encoder.leaf(line));
    gpuSeconds += line.gpuSeconds;
    chargeMicros += line.chargeMicros;
    found.order = noted(found.order, i, orderFault(before, line, i));
    found.sums = noted(found.sums, i, sumsFault(before, line));
    found.contents = noted(found.contents, i, contentsFault(job.bounds, job.facility, line));
    const foreign = pledged !== null && !isDifference(line.kind) && !pledged.has(line.subject);
    found.pledge = noted(found.pledge, i, foreign ? "its device is not pledged" : null);
    before = line;
    if (i % STEP === 0) yield (LEAVES_SHARE * i) / rows.length;
  }
  const building = MerkleTree.build(leaves);
  let step = building.next();
  while (step.done !== true) {
    yield LEAVES_SHARE + ((1 - LEAVES_SHARE) * step.value.done) / step.value.total;
    step = building.next();
  }
  const twice = overlapAmong(lines);
  return {
    count: lines.length,
    root: hexOf(step.value.root),
    gpuSeconds,
    chargeMicros,
    lastGpuSeconds: before?.cumulativeGpuSeconds ?? 0n,
    lastChargeMicros: before?.cumulativeChargeMicros ?? 0n,
    ...found,
    overlap:
      twice === null
        ? null
        : { line: twice.line, what: `its device runs in line ${twice.other} too`, count: 1 },
  };
}

/** All of it at once. */
export function recomputeNow(job: LinesJob): LinesReport {
  const work = recompute(job);
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
  }
}
