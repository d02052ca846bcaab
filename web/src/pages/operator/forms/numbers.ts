/** Numbers and times that people type into forms, as the integers that the service takes. No float touches them. */

/** A decimal such as `99.5` times 10^digits, exactly; null if it is none or has more decimals. */
export function scaled(text: string, digits: number): bigint | null {
  const match = /^\s*(\d{1,12})(?:\.(\d+))?\s*$/.exec(text);
  const fraction = match?.[2] ?? "";
  if (match === null || fraction.length > digits) return null;
  return (
    BigInt(match[1] ?? "0") * 10n ** BigInt(digits) + BigInt(fraction.padEnd(digits, "0") || "0")
  );
}

/** Percent as parts per million; null outside 0 to 100. */
export function ppmOfPercent(text: string): number | null {
  const value = scaled(text, 4);
  return value !== null && value <= 1_000_000n ? Number(value) : null;
}

/** Percent as basis points; null outside 0 to `most` percent. */
export function bpsOfPercent(text: string, most = 100): number | null {
  const value = scaled(text, 2);
  return value !== null && value <= BigInt(most) * 100n ? Number(value) : null;
}

/** Days as whole seconds; null if it is no number of days with at most 2 decimals. */
export function secondsOfDays(text: string): number | null {
  const hundredths = scaled(text, 2);
  return hundredths === null ? null : Number(hundredths) * 864;
}

/** An integer for JSON; null where a JSON number would not hold it exactly. */
export function jsonInteger(value: bigint): number | null {
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : null;
}

const LOCAL = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2})(?::(\d{2}))?$/;

/** Value of a date-and-time input, read as UTC, in seconds; null if it is none. */
export function utcSeconds(value: string): number | null {
  const match = LOCAL.exec(value);
  if (match === null) return null;
  const [year, month, day, hour, minute, second] = match.slice(1).map((part) => Number(part ?? 0));
  const at = Date.UTC(year ?? 0, (month ?? 1) - 1, day, hour, minute, second);
  // 31 February would silently become March.
  return new Date(at).toISOString().startsWith(value) ? at / 1_000 : null;
}

/** Seconds as value of a date-and-time input, in UTC. */
export function utcInput(seconds: number): string {
  return new Date(seconds * 1_000).toISOString().slice(0, seconds % 60 === 0 ? 16 : 19);
}

/** Seconds as RFC 3339 text with its offset, as the service takes times. */
export function rfc3339(seconds: number): string {
  return new Date(seconds * 1_000).toISOString().replace(".000Z", "Z");
}
