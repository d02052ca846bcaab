/** Reads TrancheToken: units and the revenue of their holders. */

import type { Address } from "viem";
import { trancheTokenAbi } from "../abis";
import type { Pinned } from "./pinned";

export interface HoldingFacts {
  units: bigint;
  claimableMicros: bigint;
  /** Of all holders of the tranche: accrued, and still streaming. */
  unvestedMicros: bigint;
  supply: bigint;
  /** In which the tranche is claimed. */
  settlementToken: Address;
}

function token({ blockNumber }: Pinned, address: Address) {
  return { address, abi: trancheTokenAbi, blockNumber } as const;
}

/** Units of a tranche in existence. */
export function readSupply(at: Pinned, address: Address, id: bigint): Promise<bigint> {
  return at.client.readContract({
    ...token(at, address),
    functionName: "totalSupply",
    args: [id],
  });
}

/** Units of a tranche that an account has. */
export function readUnits(
  at: Pinned,
  address: Address,
  account: Address,
  id: bigint,
): Promise<bigint> {
  return at.client.readContract({
    ...token(at, address),
    functionName: "balanceOf",
    args: [account, id],
  });
}

/** Whether transfers and sales are paused. */
export function readPaused(at: Pinned, address: Address): Promise<boolean> {
  return at.client.readContract({ ...token(at, address), functionName: "paused" });
}

/** What an account has of a tranche, in units and revenue. */
export async function readHolding(
  at: Pinned,
  address: Address,
  account: Address,
  id: bigint,
): Promise<HoldingFacts> {
  const contract = token(at, address);
  const { client } = at;
  const [units, claimableMicros, unvestedMicros, supply, settlementToken] = await Promise.all([
    readUnits(at, address, account, id),
    client.readContract({ ...contract, functionName: "claimable", args: [account, id] }),
    client.readContract({ ...contract, functionName: "unvested", args: [id] }),
    readSupply(at, address, id),
    client.readContract({ ...contract, functionName: "settlementTokenOf", args: [id >> 8n] }),
  ]);
  return { units, claimableMicros, unvestedMicros, supply, settlementToken };
}
