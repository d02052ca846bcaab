/** What a later statement says of an epoch, in words. */

import { gpuHours, money } from "../../format/money";
import type { RestatedRow } from "./queries";

/** `4.00 GPU-hours came late; rent of its month changes by −2.40 mUSD`. */
export function restatedText(row: RestatedRow, symbol: string): string {
  const parts: string[] = [];
  if (row.late_seconds > 0) parts.push(`${gpuHours(row.late_seconds)} GPU-hours came late`);
  if (row.late_delivery_seconds > 0)
    parts.push(`${gpuHours(row.late_delivery_seconds)} GPU-hours of delivery came late`);
  if (row.void_seconds > 0)
    parts.push(`${gpuHours(row.void_seconds)} GPU-hours are taken back or were an outage`);
  if (row.rent_micros !== 0) {
    const sign = row.rent_micros > 0 ? "+" : "";
    parts.push(
      `rent of its month changes by ${`${sign}${money(row.rent_micros)} ${symbol}`.trim()}`,
    );
  }
  return parts.join("; ");
}

/** Whether something of the epoch's own time is said, and not only of its month. */
export function ownTime(row: RestatedRow): boolean {
  return row.late_seconds + row.late_delivery_seconds + row.void_seconds > 0;
}
