/** What a facility's end makes possible for its holders: burning units, and payment for unserved compute. */

import type { FacilityState } from "../../generated/states";

const SECONDS_PER_HOUR = 3_600n;

/** Whether units can be burned as expired. Those of a cancelled sale are refunded instead. As TrancheToken does. */
export function unitsExpired(facilityState: FacilityState, hasSale: boolean): boolean {
  if (facilityState === "matured" || facilityState === "defaulted") return true;
  return facilityState === "cancelled" && !hasSale;
}

/** What decides whether a voucher's open part is paid, all at one block. */
export interface VoucherFacts {
  /** GPU-seconds neither served nor paid. */
  openGpuSeconds: bigint;
  facilityState: FacilityState;
  nowS: number;
  /** End of the delivery window, and of the time for late proofs after it. */
  payableFromS: number;
  bondMicros: bigint;
  rateMicrosPerGpuHour: bigint;
}

export type VoucherStanding =
  | { kind: "closed" }
  /** The facility has not ended: it can still be served. */
  | { kind: "running" }
  /** It ended, and late proofs of delivery still come before payment. */
  | { kind: "waiting"; fromS: number }
  /** The bond pays nothing per hour. */
  | { kind: "unpaid" }
  | { kind: "bondEmpty" }
  | { kind: "payable"; gpuSeconds: bigint; amountMicros: bigint };

/** Where a voucher stands. As DeliveryDesk.payUnserved and BondVault.payUnserved decide, both rounding down. */
export function standingOf(facts: VoucherFacts): VoucherStanding {
  const { openGpuSeconds: open, facilityState, bondMicros, rateMicrosPerGpuHour: rate } = facts;
  if (open === 0n) return { kind: "closed" };
  if (facilityState !== "defaulted") {
    if (facilityState !== "matured") return { kind: "running" };
    if (facts.nowS < facts.payableFromS) return { kind: "waiting", fromS: facts.payableFromS };
  }
  if (rate === 0n) return { kind: "unpaid" };
  const covered = (bondMicros * SECONDS_PER_HOUR) / rate;
  const gpuSeconds = covered < open ? covered : open;
  if (gpuSeconds === 0n) return { kind: "bondEmpty" };
  return { kind: "payable", gpuSeconds, amountMicros: (gpuSeconds * rate) / SECONDS_PER_HOUR };
}
