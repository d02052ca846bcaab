/** What the end of a facility, or of its offer, makes possible for holders of units and vouchers. */

import { hasEnded } from "../../chain/lifeCycle";
import type { FacilityState } from "../../generated/states";

/**
 * Whether units can be burned for nothing: those of a cancelled offer without a sale, which had no price. Those of a
 * cancelled sale are refunded instead, and those of a facility that ended keep earning. As TrancheToken does.
 */
export function unitsExpired(facilityState: FacilityState, hasSale: boolean): boolean {
  return facilityState === "cancelled" && !hasSale;
}

/** What decides where a voucher stands, all at one block. */
export interface VoucherFacts {
  /** GPU-seconds that are not served. */
  openGpuSeconds: bigint;
  facilityState: FacilityState;
  closed: boolean;
  /** From when an ended facility can be closed; null before its end and after its closing. */
  closableFromS: number | null;
  /** What the closing gave for the voucher: credited so far, and still to be credited. */
  creditedMicros: bigint;
  payableMicros: bigint;
  /** What stays owed to all vouchers of its tranche together: only then late rent pays more. */
  claimMicros: bigint;
}

export type VoucherStanding =
  | { kind: "served" }
  /** The facility has not ended: it can still be served. */
  | { kind: "running" }
  /** It ended, and is closed from then on. */
  | { kind: "waiting"; fromS: number }
  | { kind: "payable"; amountMicros: bigint }
  /** The facility is closed, and all that there is was credited; perhaps nothing. */
  | { kind: "credited"; amountMicros: bigint; more: boolean };

/** Where a voucher stands. As RentLockbox.payVoucher decides. */
export function standingOf(facts: VoucherFacts): VoucherStanding {
  if (facts.openGpuSeconds === 0n) return { kind: "served" };
  if (facts.closed) {
    return facts.payableMicros > 0n
      ? { kind: "payable", amountMicros: facts.payableMicros }
      : { kind: "credited", amountMicros: facts.creditedMicros, more: facts.claimMicros > 0n };
  }
  if (!hasEnded(facts.facilityState) || facts.closableFromS === null) return { kind: "running" };
  return { kind: "waiting", fromS: facts.closableFromS };
}
