/** Reads DeliveryDesk. */

import { type Address, BaseError, ContractFunctionRevertedError } from "viem";
import { deliveryDeskAbi } from "../abis";
import type { Pinned } from "./pinned";

export interface VoucherFacts {
  owedGpuSeconds: bigint;
  servedGpuSeconds: bigint;
}

function desk({ blockNumber }: Pinned, address: Address) {
  return { address, abi: deliveryDeskAbi, blockNumber } as const;
}

/** How far a voucher was served. */
export async function readVoucher(
  at: Pinned,
  address: Address,
  voucherId: bigint,
): Promise<VoucherFacts> {
  const found = await at.client.readContract({
    ...desk(at, address),
    functionName: "voucherOf",
    args: [voucherId],
  });
  return {
    owedGpuSeconds: BigInt(found.owedGpuSeconds),
    servedGpuSeconds: BigInt(found.servedGpuSeconds),
  };
}

/** GPU-seconds that units of a tranche would give; null where the desk takes none of them. */
export async function readGpuSeconds(
  at: Pinned,
  address: Address,
  id: bigint,
  units: bigint,
): Promise<bigint | null> {
  try {
    return await at.client.readContract({
      ...desk(at, address),
      functionName: "gpuSecondsDown",
      args: [id, units],
    });
  } catch (error) {
    // Closed, or without a rate: an answer, and no failure of the node.
    const refused =
      error instanceof BaseError && error.walk((e) => e instanceof ContractFunctionRevertedError);
    if (refused) return null;
    throw error;
  }
}
