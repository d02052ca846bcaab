/** Shares and scales for drawing. Money in tables never comes from here. */

/** `part` of `whole` in parts per million, rounded down; null where either is unknown or the whole is nothing. */
export function shareOf(
  part: number | null | undefined,
  whole: number | null | undefined,
): number | null {
  if (part === null || part === undefined || whole === null || whole === undefined) return null;
  if (whole <= 0) return null;
  return Number((BigInt(part) * 1_000_000n) / BigInt(whole));
}

const STEPS: readonly [number, string][] = [
  [1e15, "bn"],
  [1e12, "m"],
  [1e9, "k"],
];

/** Micros on an axis, short: `1.2k`, `35m`. An axis shows a scale, so three digits are enough. */
export function axisMoney(micros: number): string {
  const size = Math.abs(micros);
  for (const [step, name] of STEPS) {
    if (size >= step) return `${trimmed(micros / step)}${name}`;
  }
  return trimmed(micros / 1e6);
}

function trimmed(value: number): string {
  const digits =
    Math.abs(value) >= 100 || Number.isInteger(value) ? 0 : Math.abs(value) >= 1 ? 1 : 2;
  return value.toFixed(digits).replace(/\.0+$/, "");
}

/** Parts per million on an axis: `75 %`. */
export function axisPercent(ppm: number): string {
  return `${trimmed(ppm / 10_000)} %`;
}
