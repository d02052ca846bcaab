/** Reads StatementRegistry for the console. Whoever audits a statement reads it by `verify/registry.ts`, which is pure. */

import type { Address } from "viem";
import { statementRegistryAbi } from "../abis";
import type { Pinned } from "./pinned";

/** How many epochs of a facility are final: the first that is not. */
export function readEpochsFinal(at: Pinned, address: Address, facilityId: bigint): Promise<number> {
  return at.client.readContract({
    address,
    abi: statementRegistryAbi,
    blockNumber: at.blockNumber,
    functionName: "epochsFinal",
    args: [facilityId],
  });
}
