/** Money and amounts as text. Integers in, text out: no float touches money. */

export type Micros = number | bigint | string;

const MICROS = 1_000_000n;

/** `value` with thousands separated, such as `1,234`. */
export function grouped(value: number | bigint): string {
  return BigInt(value)
    .toString()
    .replace(/\B(?=(\d{3})+(?!\d))/g, ",");
}

/** So many of something: `1 unit`, `1,234 units`. */
export function counted(count: number | bigint, one: string): string {
  return `${grouped(count)} ${BigInt(count) === 1n ? one : `${one}s`}`;
}

/**
 * Micros as an amount, cut (never rounded up) to `digits` decimals: `1,234.56`. What is not zero is never shown as
 * zero: it becomes `<0.01`.
 */
export function money(micros: Micros, digits = 2): string {
  const value = BigInt(micros);
  const size = value < 0n ? -value : value;
  const sign = value < 0n ? "−" : "";
  const unit = 10n ** BigInt(6 - digits);
  const cut = size / unit;
  if (cut === 0n && size > 0n) {
    return `${sign}<${digits === 0 ? "1" : `0.${"0".repeat(digits - 1)}1`}`;
  }
  const whole = (cut * unit) / MICROS;
  const rest = ((cut * unit) % MICROS).toString().padStart(6, "0").slice(0, digits);
  return `${sign}${grouped(whole)}${digits > 0 ? `.${rest}` : ""}`;
}

/** Micros to the last digit: `1,234.567890`. */
export function exactMoney(micros: Micros): string {
  return money(micros, 6);
}

/** What people type, such as `1,200.50`, as micros; null if it is no amount of at most 6 decimals. */
export function parseMoney(text: string): bigint | null {
  const match = /^\s*([1-9]\d{0,2}(?:,\d{3})+|\d+)(?:\.(\d{1,6}))?\s*$/.exec(text);
  if (match === null) return null;
  const whole = BigInt((match[1] ?? "0").replaceAll(",", ""));
  return whole * MICROS + BigInt((match[2] ?? "").padEnd(6, "0"));
}

/**
 * A whole number that people type, such as `1,200`; null if it is none. A comma must stand before three digits: `0,9` is
 * no nine, and `0,900` no nine hundred.
 */
export function parseUnits(text: string): bigint | null {
  const digits = /^\s*([1-9]\d{0,2}(?:,\d{3}){1,9}|\d{1,30})\s*$/.exec(text)?.[1];
  return digits === undefined ? null : BigInt(digits.replaceAll(",", ""));
}

/** Parts per million as percent: `98.76 %`. */
export function percentOfPpm(ppm: number, digits = 2): string {
  return `${(ppm / 10_000).toFixed(digits)} %`;
}

/** Basis points as percent: `12.5 %`. */
export function percentOfBps(bps: number): string {
  return `${(bps / 100).toFixed(bps % 100 === 0 ? 0 : bps % 10 === 0 ? 1 : 2)} %`;
}

/** GPU-seconds as GPU-hours with two decimals, cut: `1,234.56`. */
export function gpuHours(gpuSeconds: number | bigint): string {
  const value = BigInt(gpuSeconds);
  const hundredths = (value * 100n) / 3_600n;
  const size = hundredths < 0n ? -hundredths : hundredths;
  return `${value < 0n ? "−" : ""}${grouped(size / 100n)}.${(size % 100n).toString().padStart(2, "0")}`;
}
