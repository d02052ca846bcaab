/** Rules that lines of a statement keep, as `api/domain/statements/faults.py` and `contracts/statements/Faults.sol` have them. */

import { type Line, isCounted } from "./line";

/** Bounds and totals that lines are held against. */
export interface Bounds {
  epoch: number;
  startS: bigint;
  endS: bigint;
}

/** What is wrong with a line's kind, interval, GPU-seconds or sign of charge; null if nothing. */
export function contentsFault(bounds: Bounds, line: Line): string | null {
  if (line.kind > 5) return `kind ${line.kind} does not exist`;
  if (line.endS <= line.startS) return "its interval is empty";
  const windowStart = bounds.startS - BigInt(bounds.epoch) * (bounds.endS - bounds.startS);
  const earliest = line.kind <= 2 ? bounds.startS : windowStart;
  const latest = line.kind <= 3 ? bounds.endS : bounds.startS;
  if (line.startS < earliest || line.endS > latest) return "its interval lies outside";
  const counted = isCounted(line.kind) ? line.endS - line.startS : 0n;
  if (line.gpuSeconds !== counted) {
    return `it counts ${line.gpuSeconds} GPU-seconds, its interval says ${counted}`;
  }
  const charge = line.chargeMicros;
  const fits =
    line.kind === 1
      ? charge === 0n
      : line.kind === 3 || line.kind === 5
        ? charge <= 0n
        : charge >= 0n;
  if (!fits) return `a charge of ${charge} does not fit its kind`;
  if (line.kind === 2 && !/^0x0+$/.test(line.device)) return "a shortfall names a device";
  return null;
}

function compare<T extends string | bigint | number>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Canonical order of lines: kind, device, start, lease, end. */
export function compareLines(a: Line, b: Line): number {
  return (
    compare(a.kind, b.kind) ||
    compare(a.device.toLowerCase(), b.device.toLowerCase()) ||
    compare(a.startS, b.startS) ||
    compare(a.lease.toLowerCase(), b.lease.toLowerCase()) ||
    compare(a.endS, b.endS)
  );
}

/** What is wrong with the place of a line after the one before it (null for the first); null if nothing. */
export function orderFault(before: Line | null, line: Line, place: number): string | null {
  if (line.index !== place) return `it has index ${line.index} at place ${place}`;
  if (before === null) return null;
  const order = compareLines(before, line);
  // One interval can be recorded late and voided more than once; anything else is once.
  if (order > 0 || (order === 0 && line.kind !== 5))
    return "it does not sort after the line before";
  return null;
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
    (a, b) => compare(a.device, b.device) || compare(a.startS, b.startS) || compare(a.endS, b.endS),
  );
  let running: Line | null = null;
  for (const line of counted) {
    if (running === null || running.device !== line.device) {
      running = line;
      continue;
    }
    if (line.startS < running.endS) return { line: line.index, other: running.index };
    if (line.endS > running.endS) running = line;
  }
  return null;
}
