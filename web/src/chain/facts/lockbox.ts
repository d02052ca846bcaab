/** Reads RentLockbox, and `owedTo` of every contract that holds money for people to withdraw. */

import type { Address } from "viem";
import { rentLockboxAbi } from "../abis";
import type { Pinned } from "./pinned";
import { timeOrNull } from "./registry";

export interface BookFacts {
  collectedMicros: bigint;
  settledMicros: bigint;
  /** Leading epochs that settlements have counted. */
  settledEpochs: number;
}

/** What stays owed after a closing, by seniority. */
export interface ClaimsFacts {
  unitsMicros: readonly bigint[];
  vouchersMicros: readonly bigint[];
  treasuryMicros: bigint;
}

function lockbox({ blockNumber }: Pinned, address: Address) {
  return { address, abi: rentLockboxAbi, blockNumber } as const;
}

/** Rent that is both final and collected, and not settled yet. */
export function readSettleable(at: Pinned, address: Address, facilityId: bigint): Promise<bigint> {
  return at.client.readContract({
    ...lockbox(at, address),
    functionName: "settleable",
    args: [facilityId],
  });
}

/** Running totals of a facility's rent. */
export async function readBook(
  at: Pinned,
  address: Address,
  facilityId: bigint,
): Promise<BookFacts> {
  const book = await at.client.readContract({
    ...lockbox(at, address),
    functionName: "bookOf",
    args: [facilityId],
  });
  return {
    collectedMicros: book.collected,
    settledMicros: book.settled,
    settledEpochs: book.settledEpochs,
  };
}

/** From when an ended facility can be closed; null while it has not ended, and once it is closed. */
export async function readClosableFrom(
  at: Pinned,
  address: Address,
  facilityId: bigint,
): Promise<number | null> {
  return timeOrNull(
    await at.client.readContract({
      ...lockbox(at, address),
      functionName: "closableFrom",
      args: [facilityId],
    }),
  );
}

/** What stays owed after a closing; all zero before it. */
export async function readClaims(
  at: Pinned,
  address: Address,
  facilityId: bigint,
): Promise<ClaimsFacts> {
  const claims = await at.client.readContract({
    ...lockbox(at, address),
    functionName: "claimsOf",
    args: [facilityId],
  });
  return {
    unitsMicros: claims.units,
    vouchersMicros: claims.vouchers,
    treasuryMicros: claims.treasury,
  };
}

/** What the closing gave for a voucher: credited so far, and what can be credited now. */
export async function readVoucherMoney(
  at: Pinned,
  address: Address,
  voucherId: bigint,
): Promise<{ creditedMicros: bigint; payableMicros: bigint }> {
  const contract = lockbox(at, address);
  const args = [voucherId] as const;
  const [creditedMicros, payableMicros] = await Promise.all([
    at.client.readContract({ ...contract, functionName: "paidToVoucher", args }),
    at.client.readContract({ ...contract, functionName: "payableToVoucher", args }),
  ]);
  return { creditedMicros, payableMicros };
}

/** What an account may withdraw from a contract: all that owe people money have this function. */
export function readOwed(
  at: Pinned,
  address: Address,
  token: Address,
  account: Address,
): Promise<bigint> {
  return at.client.readContract({
    ...lockbox(at, address),
    functionName: "owedTo",
    args: [token, account],
  });
}
