/** What becomes of one transaction that this browser sent. */

import type { Address, Hash, Hex, PublicClient, TransactionReceipt } from "viem";
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

/** Blocks behind the head in which a replacement is looked for: what every node still has the state of. */
const BLOCKS_BACK = 120n;

interface Mined {
  hash: Hash;
  to: Address | null;
  input: Hex;
  value: bigint;
}

/**
 * What was mined with a nonce of an account: the block in which the account's count passed it, found by halving. Null if
 * that was too long ago, or the node cannot say.
 */
async function minedWith(
  client: PublicClient,
  from: Address,
  nonce: number,
): Promise<Mined | null> {
  const passed = async (blockNumber: bigint) =>
    (await client.getTransactionCount({ address: from, blockNumber })) > nonce;
  try {
    let high = await client.getBlockNumber({ cacheTime: 0 });
    let low = high > BLOCKS_BACK ? high - BLOCKS_BACK : 0n;
    if ((await passed(low)) || !(await passed(high))) return null;
    while (high - low > 1n) {
      const middle = (low + high) / 2n;
      if (await passed(middle)) high = middle;
      else low = middle;
    }
    const block = await client.getBlock({ blockNumber: high, includeTransactions: true });
    const found = block.transactions.find(
      (tx) => tx.nonce === nonce && tx.from.toLowerCase() === from.toLowerCase(),
    );
    return found ?? null;
  } catch {
    return null;
  }
}

/** What a transaction that took the nonce makes of ours. */
function outcomeOf(sent: SentTransaction, mined: Mined): "repriced" | "cancelled" | "replaced" {
  const to = mined.to?.toLowerCase();
  if (to === sent.to.toLowerCase() && mined.input === sent.input && mined.value === 0n) {
    return "repriced";
  }
  const nothing = to === sent.from.toLowerCase() && mined.value === 0n && mined.input === "0x";
  return nothing ? "cancelled" : "replaced";
}

/** Records that another transaction took the nonce. */
async function noteReplaced(
  client: PublicClient,
  sent: SentTransaction,
  mined: Mined,
): Promise<void> {
  const state = outcomeOf(sent, mined);
  const receipt =
    state === "repriced" ? await client.getTransactionReceipt({ hash: mined.hash }) : null;
  if (receipt?.status === "reverted") await noteReverted(client, sent, receipt, mined.hash);
  else noteOutcome(sent.hash, { state, replacedBy: mined.hash });
}

async function noteReverted(
  client: PublicClient,
  sent: SentTransaction,
  receipt: TransactionReceipt,
  replacedBy: Hash | null,
): Promise<void> {
  const call = { from: sent.from, to: sent.to, input: sent.input, value: 0n };
  const why = await whyReverted(client, call, receipt.blockNumber);
  noteOutcome(sent.hash, { state: "reverted", replacedBy, reason: why.sentence });
}

/**
 * Follows a transaction until it is mined or can no longer be, and records the outcome. Asks for its receipt and for the
 * account's count, round by round: viem's own wait misses a replacement that is mined between two of its looks.
 */
export async function follow(
  client: PublicClient,
  sent: SentTransaction,
  signal: AbortSignal,
): Promise<void> {
  const nonce = sent.nonce ?? (await findNonce(client, sent, signal));
  for (let looks = 0; looks < LOOKS_BEFORE_REPLACED;) {
    const next = await client.getTransactionCount({ address: sent.from }).catch(() => 0);
    const receipt = await client.getTransactionReceipt({ hash: sent.hash }).catch(() => null);
    if (receipt !== null) {
      if (receipt.status === "reverted") await noteReverted(client, sent, receipt, null);
      else noteOutcome(sent.hash, { state: "success" });
      return;
    }
    if (next > nonce) {
      const mined = await minedWith(client, sent.from, nonce);
      // Our own, whose receipt the node is about to have.
      if (mined !== null && mined.hash !== sent.hash) {
        await noteReplaced(client, sent, mined);
        return;
      }
      looks += 1;
    } else {
      looks = 0;
    }
    await pause(client.pollingInterval, signal);
  }
  noteOutcome(sent.hash, { state: "replaced" });
}
