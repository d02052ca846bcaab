/** Stablecoins that refuse to change an allowance that is not zero (USDT): it has to be reset first. */

import { type Address, type Hex, type PublicClient, encodeFunctionData } from "viem";
import { erc20Abi } from "./abis";
import { sentenceOf } from "./refusals";

export interface Allowance {
  token: Address;
  owner: Address;
  spender: Address;
  /** What the spender may take now. */
  current: bigint;
  /** What it should be able to take. */
  wanted: bigint;
}

/** Calldata of an approval. */
export function approveData(spender: Address, value: bigint): Hex {
  return encodeFunctionData({ abi: erc20Abi, functionName: "approve", args: [spender, value] });
}

/** Whether the contract takes a call; a node that does not answer is an error, not a refusal. */
async function passes(
  client: PublicClient,
  from: Address,
  call: { to: Address; data: Hex },
): Promise<boolean> {
  try {
    await client.call({ account: from, ...call });
    return true;
  } catch (error) {
    if (sentenceOf(error).name === "NodeUnreachable") throw error;
    return false;
  }
}

/**
 * Whether the allowance must go to zero before it can be what is wanted: there is one that is too small, the token refuses
 * to change it, and takes the reset. Where it refuses both, something else is wrong, and the approval itself will say what.
 */
export async function needsReset(client: PublicClient, allowance: Allowance): Promise<boolean> {
  const { token, owner, spender, current, wanted } = allowance;
  if (current === 0n || current >= wanted) return false;
  const approve = (value: bigint) =>
    passes(client, owner, { to: token, data: approveData(spender, value) });
  return !(await approve(wanted)) && (await approve(0n));
}
