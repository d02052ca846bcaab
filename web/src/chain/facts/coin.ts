/** Reads a stablecoin: any ERC-20. */

import type { Address, PublicClient } from "viem";
import { erc20Abi } from "../abis";
import type { Pinned } from "./pinned";

export interface Coin {
  address: Address;
  symbol: string;
  decimals: number;
}

/** Name and decimals of a coin, which never change: at no block in particular. */
export async function readCoin(client: PublicClient, address: Address): Promise<Coin> {
  const coin = { address, abi: erc20Abi } as const;
  const [symbol, decimals] = await Promise.all([
    client.readContract({ ...coin, functionName: "symbol" }),
    client.readContract({ ...coin, functionName: "decimals" }),
  ]);
  return { address, symbol, decimals };
}

/** Balance of an account, and what it allows a spender to take. */
export async function readFunds(
  at: Pinned,
  address: Address,
  owner: Address,
  spender: Address,
): Promise<{ balanceMicros: bigint; allowanceMicros: bigint }> {
  const coin = { address, abi: erc20Abi, blockNumber: at.blockNumber } as const;
  const [balanceMicros, allowanceMicros] = await Promise.all([
    at.client.readContract({ ...coin, functionName: "balanceOf", args: [owner] }),
    at.client.readContract({ ...coin, functionName: "allowance", args: [owner, spender] }),
  ]);
  return { balanceMicros, allowanceMicros };
}
