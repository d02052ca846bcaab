/** Reads InvestorRegistry: who may hold units. */

import type { Address } from "viem";
import { investorRegistryAbi } from "../abis";
import type { Pinned } from "./pinned";

export interface InvestorFacts {
  canSend: boolean;
  canReceive: boolean;
  /** Null where the register has no entry of its own. */
  expiresAtS: number | null;
  country: number | null;
}

/** What an account may do by the allow-list. */
export async function readInvestor(
  at: Pinned,
  address: Address,
  account: Address,
): Promise<InvestorFacts> {
  const { blockNumber } = at;
  const list = { address, abi: investorRegistryAbi, blockNumber, args: [account] } as const;
  const [canSend, canReceive, entry] = await Promise.all([
    at.client.readContract({ ...list, functionName: "canSend" }),
    at.client.readContract({ ...list, functionName: "canReceive" }),
    at.client.readContract({ ...list, functionName: "investorOf" }),
  ]);
  return {
    canSend,
    canReceive,
    expiresAtS: entry.expiresAt === 0n ? null : Number(entry.expiresAt),
    country: entry.country === 0 ? null : entry.country,
  };
}
