import type { Address, Hex, PublicClient } from "viem";
import { type Refusal, sentenceOf } from "./refusals";

/** A call that a transaction made. */
export interface MinedCall {
  from: Address;
  to: Address | null;
  input: Hex;
  value: bigint;
}

const CHANGED: Refusal = {
  name: "Unknown",
  sentence:
    "At the block before, the same call would have passed: something changed within its own block, or it ran out of gas.",
};

/** Why a mined transaction reverted: the same call, asked at the block before it. */
export async function whyReverted(
  client: PublicClient,
  call: MinedCall,
  block: bigint,
): Promise<Refusal> {
  try {
    await client.call({
      account: call.from,
      to: call.to,
      data: call.input,
      value: call.value,
      blockNumber: block - 1n,
    });
  } catch (error) {
    return sentenceOf(error);
  }
  return CHANGED;
}
