/** What becomes of one transaction that this browser sent. */

import type { PublicClient, TransactionReceipt } from "viem";
import { type SentTransaction, noteOutcome } from "./pending";
import { whyReverted } from "./revert";

/** Looks with the nonce spent and no receipt found, before the transaction counts as replaced. */
const LOOKS_BEFORE_REPLACED = 4;

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(new Error("stopped"));
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stop);
      resolve();
    }, ms);
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
}

/**
 * Nonce of a transaction that was sent without knowing it; without one no replacement can be recognized. Waits until
 * the node knows the transaction, which for the proposal of a contract wallet may be never.
 */
async function findNonce(
  client: PublicClient,
  sent: SentTransaction,
  signal: AbortSignal,
): Promise<number> {
  for (;;) {
    const seen = await client.getTransaction({ hash: sent.hash }).catch(() => null);
    if (seen !== null) {
      noteOutcome(sent.hash, { nonce: seen.nonce });
      return seen.nonce;
    }
    await pause(client.pollingInterval, signal);
  }
}

/**
 * Resolves once another transaction took the nonce and the node does not say which: it happened before this page was
 * opened, and the node has no look-up by sender and nonce.
 */
async function nonceSpent(
  client: PublicClient,
  sent: SentTransaction,
  nonce: number,
  signal: AbortSignal,
): Promise<null> {
  for (let looks = 0; looks < LOOKS_BEFORE_REPLACED;) {
    await pause(client.pollingInterval * 2, signal);
    const next = await client.getTransactionCount({ address: sent.from }).catch(() => 0);
    const receipt = await client.getTransactionReceipt({ hash: sent.hash }).catch(() => null);
    looks = next > nonce && receipt === null ? looks + 1 : 0;
  }
  return null;
}

/** Follows a transaction until it is mined or can no longer be, and records the outcome. */
export async function follow(
  client: PublicClient,
  sent: SentTransaction,
  outer: AbortSignal,
): Promise<void> {
  const controller = new AbortController();
  const { signal } = controller;
  outer.addEventListener("abort", () => controller.abort(), { once: true });
  try {
    const nonce = sent.nonce ?? (await findNonce(client, sent, signal));
    let reason: "cancelled" | "replaced" | "repriced" | null = null;
    const mined: Promise<TransactionReceipt> = client.waitForTransactionReceipt({
      hash: sent.hash,
      // A person may take days to speed up; the watch ends with the page.
      timeout: 0,
      signal,
      retryCount: 20,
      replacement: { from: sent.from, nonce, to: sent.to, input: sent.input, value: 0n },
      onReplaced: (replacement) => {
        reason = replacement.reason;
      },
    });
    const spent = nonceSpent(client, sent, nonce, signal);
    // The one that loses the race is stopped below; its rejection is nobody's.
    mined.catch(() => undefined);
    spent.catch(() => undefined);
    const receipt = await Promise.race([mined, spent]);
    if (receipt === null) {
      noteOutcome(sent.hash, { state: "replaced" });
      return;
    }
    const replacedBy = receipt.transactionHash === sent.hash ? null : receipt.transactionHash;
    if (reason === "cancelled" || reason === "replaced") {
      noteOutcome(sent.hash, { state: reason, replacedBy });
    } else if (receipt.status === "reverted") {
      const call = { from: sent.from, to: sent.to, input: sent.input, value: 0n };
      const why = await whyReverted(client, call, receipt.blockNumber);
      noteOutcome(sent.hash, { state: "reverted", replacedBy, reason: why.sentence });
    } else {
      noteOutcome(sent.hash, { state: replacedBy === null ? "success" : "repriced", replacedBy });
    }
  } finally {
    controller.abort();
  }
}
