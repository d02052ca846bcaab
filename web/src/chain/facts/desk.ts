/** Reads DeliveryDesk. */

import type { Address } from "viem";
import { deliveryDeskAbi } from "../abis";
import type { Pinned } from "./pinned";

export interface VoucherFacts {
  owedGpuSeconds: bigint;
  servedGpuSeconds: bigint;
  paidGpuSeconds: bigint;
}

function desk({ blockNumber }: Pinned, address: Address) {
  return { address, abi: deliveryDeskAbi, blockNumber } as const;
}

/** How far a voucher was served and paid. */
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
    paidGpuSeconds: BigInt(found.paidGpuSeconds),
  };
}

/** Seconds after a window's end in which late proofs of delivery are taken. */
export async function readServeGraceS(at: Pinned, address: Address): Promise<number> {
  return Number(
    await at.client.readContract({ ...desk(at, address), functionName: "SERVE_GRACE" }),
  );
}
