/** Reads StatementRegistry for the console. Whoever audits a statement reads it by `verify/registry.ts`, which is pure. */

import type { Address } from "viem";
import { statementRegistryAbi } from "../abis";
import type { Pinned } from "./pinned";
import { timeOrNull } from "./registry";

/** How far epochs are stated or published, and when something of that was last taken back. */
export interface OpennessFacts {
  /** First epoch that is neither stated nor published. */
  firstOpen: number;
  voidedAtS: number | null;
  rejectedAtS: number | null;
}

function registry({ blockNumber }: Pinned, address: Address) {
  return { address, abi: statementRegistryAbi, blockNumber } as const;
}

/** How far the closing statement of a facility is: what comes after its last epoch. */
export type ClosingStatement = "missing" | "posted" | "final";

export async function readClosingStatement(
  at: Pinned,
  address: Address,
  facilityId: bigint,
): Promise<ClosingStatement> {
  const args = [facilityId] as const;
  const [posted, final] = await Promise.all([
    at.client.readContract({ ...registry(at, address), functionName: "isClosingPosted", args }),
    at.client.readContract({ ...registry(at, address), functionName: "isClosingFinal", args }),
  ]);
  return final ? "final" : posted ? "posted" : "missing";
}

/** How many epochs of a facility are stated; its closing statement is none. */
export function readEpochsPosted(
  at: Pinned,
  address: Address,
  facilityId: bigint,
): Promise<number> {
  return at.client.readContract({
    ...registry(at, address),
    functionName: "epochsPosted",
    args: [facilityId],
  });
}

export async function readOpenness(
  at: Pinned,
  address: Address,
  facilityId: bigint,
): Promise<OpennessFacts> {
  const found = await at.client.readContract({
    ...registry(at, address),
    functionName: "opennessOf",
    args: [facilityId],
  });
  return {
    firstOpen: found.firstOpen,
    voidedAtS: timeOrNull(found.voidedAt),
    rejectedAtS: timeOrNull(found.rejectedAt),
  };
}

/** Revenue that the final statements attest. */
export async function readFinalGross(
  at: Pinned,
  address: Address,
  facilityId: bigint,
): Promise<bigint> {
  const [, , grossMicros] = await at.client.readContract({
    ...registry(at, address),
    functionName: "finalTotals",
    args: [facilityId, 0],
  });
  return grossMicros;
}

/** Revenue that an epoch's statement and all before it attest; 0 where none stands. */
export async function readCumulativeGross(
  at: Pinned,
  address: Address,
  facilityId: bigint,
  epoch: number,
): Promise<bigint> {
  const record = await at.client.readContract({
    ...registry(at, address),
    functionName: "statementOf",
    args: [facilityId, epoch],
  });
  return record.cumulativeGross;
}
