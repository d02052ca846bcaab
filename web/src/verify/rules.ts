/** Rules that lines of a statement keep, as `api/domain/statements/faults.py` and `contracts/statements/Faults.sol` have them. */

import { COMPONENT_SUBJECTS, type Line, isCounted, isDifference } from "./line";

/** Bounds that lines are held against. */
export interface Bounds {
  epoch: number;
  startS: bigint;
  endS: bigint;
}

/** Delivery window and seal of a facility. */
export interface Window {
  windowStartS: bigint;
  windowEndS: bigint;
  sealedAtS: bigint;
  epochLengthS: bigint;
}

/** Whether an interval of neither usage nor delivery is where its kind must be. */
function insideWindow(bounds: Bounds, window: Window, line: Line): boolean {
  if (line.startS < window.windowStartS) return false;
  if (isDifference(line.kind)) return line.endS <= window.sealedAtS;
  const epochAt = (atS: bigint) => (atS - window.windowStartS) / window.epochLengthS;
  return line.endS <= bounds.startS && epochAt(line.startS) === epochAt(line.endS - 1n);
}

/**
 * What is wrong with a line's kind, interval, GPU-seconds, sign of charge or subject; null if nothing. Without a window
 * only intervals inside the epoch are judged.
 */
export function contentsFault(bounds: Bounds, window: Window | null, line: Line): string | null {
  if (line.kind > 11) return `kind ${line.kind} does not exist`;
  if (line.endS <= line.startS) return "its interval is empty";
  const inside = isCounted(line.kind)
    ? line.startS >= bounds.startS && line.endS <= bounds.endS
    : window === null || insideWindow(bounds, window, line);
  if (!inside) return "its interval lies outside";
  const counted = isCounted(line.kind) ? line.endS - line.startS : 0n;
  if (line.gpuSeconds !== counted) {
    return `it counts ${line.gpuSeconds} GPU-seconds, its interval says ${counted}`;
  }
  const charge = line.chargeMicros;
  const fits = line.kind === 0 ? charge >= 0n : isDifference(line.kind) || charge === 0n;
  if (!fits) return `a charge of ${charge} does not fit its kind`;
  const subject = COMPONENT_SUBJECTS[line.kind] ?? line.subject;
  return subject === line.subject ? null : "its subject is not its component";
}

function compare<T extends string | bigint | number>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Canonical order of lines: kind, subject, start, lease, end. */
export function compareLines(a: Line, b: Line): number {
  return (
    compare(a.kind, b.kind) ||
    compare(a.subject.toLowerCase(), b.subject.toLowerCase()) ||
    compare(a.startS, b.startS) ||
    compare(a.lease.toLowerCase(), b.lease.toLowerCase()) ||
    compare(a.endS, b.endS)
  );
}

/** What is wrong with the place of a line after the one before it (null for the first); null if nothing. */
export function orderFault(before: Line | null, line: Line, place: number): string | null {
  if (line.index !== place) return `it has index ${line.index} at place ${place}`;
  if (before === null) return null;
  return compareLines(before, line) < 0 ? null : "it does not sort after the line before";
}

/** What is wrong with the prefix sums of a line; null if nothing. */
export function sumsFault(before: Line | null, line: Line): string | null {
  const gpuSeconds = (before?.cumulativeGpuSeconds ?? 0n) + line.gpuSeconds;
  const charge = (before?.cumulativeChargeMicros ?? 0n) + line.chargeMicros;
  if (line.cumulativeGpuSeconds !== gpuSeconds) {
    return `GPU-seconds add up to ${gpuSeconds}, the line says ${line.cumulativeGpuSeconds}`;
  }
  if (line.cumulativeChargeMicros !== charge) {
    return `charges add up to ${charge} micros, the line says ${line.cumulativeChargeMicros}`;
  }
  return null;
}

/** First line whose device was already in use or delivered at that second; null if none. */
export function overlapAmong(lines: readonly Line[]): { line: number; other: number } | null {
  const counted = lines.filter((line) => isCounted(line.kind));
  counted.sort(
    (a, b) =>
      compare(a.subject, b.subject) || compare(a.startS, b.startS) || compare(a.endS, b.endS),
  );
  let running: Line | null = null;
  for (const line of counted) {
    if (running === null || running.subject !== line.subject) {
      running = line;
      continue;
    }
    if (line.startS < running.endS) return { line: line.index, other: running.index };
    if (line.endS > running.endS) running = line;
  }
  return null;
}
