/** Reads that must agree are made at one block. */

import type { PublicClient } from "viem";

/** A node, and the block at which it is read. */
export interface Pinned {
  client: PublicClient;
  blockNumber: bigint;
  /** Time of that block, UTC seconds. */
  timeS: number;
}

/** The node at its newest block. */
export async function pinned(client: PublicClient): Promise<Pinned> {
  const block = await client.getBlock();
  return { client, blockNumber: block.number, timeS: Number(block.timestamp) };
}
