/** One transaction as the chain's node knows it; the service is not asked. */

import { useQuery } from "@tanstack/react-query";
import {
  type Address,
  type Hash,
  type Hex,
  type Log,
  TransactionNotFoundError,
  TransactionReceiptNotFoundError,
  getAddress,
} from "viem";
import { usePublicClient } from "wagmi";
import { useService } from "../../api/service";
import type { Refusal } from "../../chain/refusals";
import { whyReverted } from "../../chain/revert";

export interface Found {
  from: Address;
  to: Address | null;
  input: Hex;
  value: bigint;
  nonce: number;
}

export interface Mined {
  block: bigint;
  timeS: number;
  /** Blocks on top of its own. */
  confirmations: number;
  final: boolean;
  success: boolean;
  /** Why it reverted. */
  why: Refusal | null;
  feeWei: bigint;
  gasUsed: bigint;
  created: Address | null;
  logs: Log[];
}

export interface TransactionOnChain {
  /** Null where the node does not know the hash. */
  found: Found | null;
  mined: Mined | null;
}

/** The transaction, asked for again until it is final. */
export function useTransaction(hash: Hash) {
  const client = usePublicClient();
  const { confirmations: needed } = useService();
  return useQuery({
    queryKey: ["chain", "transaction", hash],
    enabled: client !== undefined,
    refetchInterval: (query) => (query.state.data?.mined?.final === true ? false : 2_000),
    queryFn: async (): Promise<TransactionOnChain> => {
      if (client === undefined) throw new Error("No node is configured.");
      const [found, receipt, head] = await Promise.all([
        client.getTransaction({ hash }).catch(orNull(TransactionNotFoundError)),
        client.getTransactionReceipt({ hash }).catch(orNull(TransactionReceiptNotFoundError)),
        client.getBlockNumber({ cacheTime: 0 }),
      ]);
      if (found === null) return { found, mined: null };
      const { input, value, nonce } = found;
      const from = getAddress(found.from);
      const to = found.to === null ? null : getAddress(found.to);
      const call = { from, to, input, value, nonce };
      if (receipt === null) return { found: call, mined: null };
      const block = await client.getBlock({ blockNumber: receipt.blockNumber });
      const confirmations = Math.max(0, Number(head - receipt.blockNumber));
      // A node that knows no finalized block: twelve blocks, as the service counts.
      const final =
        needed === null
          ? await client
              .getBlock({ blockTag: "finalized" })
              .then((block) => receipt.blockNumber <= block.number)
              .catch(() => confirmations >= 12)
          : confirmations >= needed;
      const success = receipt.status === "success";
      return {
        found: call,
        mined: {
          block: receipt.blockNumber,
          timeS: Number(block.timestamp),
          confirmations,
          final,
          success,
          why: success ? null : await whyReverted(client, call, receipt.blockNumber),
          feeWei: receipt.gasUsed * receipt.effectiveGasPrice,
          gasUsed: receipt.gasUsed,
          created: receipt.contractAddress ?? null,
          logs: receipt.logs,
        },
      };
    },
  });
}

/** Turns the error of something that is not there into null; others stay errors. */
function orNull(kind: new (...args: never[]) => Error) {
  return (error: unknown): null => {
    if (error instanceof kind) return null;
    throw error;
  };
}
