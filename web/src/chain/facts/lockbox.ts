/** Reads RentLockbox, and `owedTo` of every contract that holds money for people to withdraw. */

import type { Address } from "viem";
import { rentLockboxAbi } from "../abis";
import type { Pinned } from "./pinned";

/** Rent that is both final and collected, and not settled yet. */
export function readSettleable(at: Pinned, address: Address, facilityId: bigint): Promise<bigint> {
  return at.client.readContract({
    address,
    abi: rentLockboxAbi,
    blockNumber: at.blockNumber,
    functionName: "settleable",
    args: [facilityId],
  });
}

/** What an account may withdraw from a contract: PrimarySale and BondVault have the same function. */
export function readOwed(
  at: Pinned,
  address: Address,
  token: Address,
  account: Address,
): Promise<bigint> {
  return at.client.readContract({
    address,
    abi: rentLockboxAbi,
    blockNumber: at.blockNumber,
    functionName: "owedTo",
    args: [token, account],
  });
}
