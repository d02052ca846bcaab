/** Reads BondVault. */

import type { Address } from "viem";
import { bondVaultAbi } from "../abis";
import type { Pinned } from "./pinned";

export interface BondFacts {
  heldMicros: bigint;
  /** Null while no terms were set. */
  terms: { requiredMicros: bigint; rateMicrosPerGpuHour: bigint } | null;
  sufficient: boolean;
}

/** The bond of a facility, and what it has to be. */
export async function readBond(
  at: Pinned,
  address: Address,
  facilityId: bigint,
): Promise<BondFacts> {
  const { blockNumber } = at;
  const vault = { address, abi: bondVaultAbi, blockNumber, args: [facilityId] } as const;
  const [heldMicros, agreed, terms, sufficient] = await Promise.all([
    at.client.readContract({ ...vault, functionName: "bondOf" }),
    at.client.readContract({ ...vault, functionName: "hasTerms" }),
    at.client.readContract({ ...vault, functionName: "bondTermsOf" }),
    at.client.readContract({ ...vault, functionName: "isSufficient" }),
  ]);
  const requiredMicros = BigInt(terms.requiredBond);
  const rateMicrosPerGpuHour = BigInt(terms.ratePerGpuHour);
  return {
    heldMicros,
    terms: agreed ? { requiredMicros, rateMicrosPerGpuHour } : null,
    sufficient,
  };
}
