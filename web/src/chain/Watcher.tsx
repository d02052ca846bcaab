/** Follows every pending transaction of this browser to its end, also after a reload. */

import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import type { PublicClient } from "viem";
import { usePublicClient } from "wagmi";
import { useService } from "../api/service";
import { type SentTransaction, type TxState, noteOutcome, useSentTransactions } from "./pending";
import { sentenceOf } from "./refusals";

/** Why a mined transaction reverted: the same call, asked at the block before it. */
async function reasonOf(
  client: PublicClient,
  sent: SentTransaction,
  block: bigint,
): Promise<string> {
  try {
    await client.call({
      account: sent.from,
      to: sent.to,
      data: sent.input,
      blockNumber: block - 1n,
    });
  } catch (error) {
    return sentenceOf(error).sentence;
  }
  return "It reverted: something changed between the check and its block.";
}

async function follow(
  client: PublicClient,
  sent: SentTransaction,
  signal: AbortSignal,
): Promise<void> {
  let reason: "cancelled" | "replaced" | "repriced" | null = null;
  const receipt = await client.waitForTransactionReceipt({
    hash: sent.hash,
    // A wallet may take days to speed up; the watch ends with the page.
    timeout: 0,
    signal,
    retryCount: 20,
    ...(sent.nonce !== null && {
      replacement: {
        from: sent.from,
        nonce: sent.nonce,
        to: sent.to,
        input: sent.input,
        value: 0n,
      },
    }),
    onReplaced: (replacement) => {
      reason = replacement.reason;
    },
  });
  const replacedBy = receipt.transactionHash === sent.hash ? null : receipt.transactionHash;
  if (reason === "cancelled" || reason === "replaced") {
    noteOutcome(sent.hash, { state: reason, replacedBy });
    return;
  }
  if (receipt.status === "reverted") {
    const why = await reasonOf(client, sent, receipt.blockNumber);
    noteOutcome(sent.hash, { state: "reverted", replacedBy, reason: why });
    return;
  }
  const state: TxState = replacedBy === null ? "success" : "repriced";
  noteOutcome(sent.hash, { state, replacedBy });
}

export function Watcher() {
  const { chain_id } = useService();
  const client = usePublicClient();
  const queries = useQueryClient();
  const followed = useRef(new Map<string, AbortController>());
  const pending = useSentTransactions(chain_id).filter((t) => t.state === "pending");
  const key = pending.map((t) => t.hash).join();

  useEffect(() => {
    if (client === undefined) return;
    for (const sent of pending) {
      if (followed.current.has(sent.hash)) continue;
      const controller = new AbortController();
      followed.current.set(sent.hash, controller);
      follow(client, sent, controller.signal)
        // Figures of pages come from the index, which is a moment behind the chain: they refetch by themselves.
        .then(() => queries.invalidateQueries())
        .catch(() => undefined)
        .finally(() => followed.current.delete(sent.hash));
    }
    // `pending` is new at every render; `key` says when it changed.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [client, key, queries]);

  useEffect(() => {
    const running = followed.current;
    return () => {
      for (const controller of running.values()) controller.abort();
    };
  }, []);

  return null;
}
