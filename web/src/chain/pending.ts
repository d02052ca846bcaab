/** Transactions that this browser sent: kept in local storage, so that a reload loses none of them. */

import { useSyncExternalStore } from "react";
import type { Address, Hash, Hex } from "viem";

export type TxState =
  | "pending"
  | "success"
  | "reverted"
  /** The same call was mined under another hash (a raised fee). */
  | "repriced"
  /** The wallet sent nothing in its place: the call will never happen. */
  | "cancelled"
  /** Another call took its nonce: the call will never happen. */
  | "replaced";

export interface SentTransaction {
  hash: Hash;
  chainId: number;
  from: Address;
  to: Address;
  input: Hex;
  /** Null where the wallet did not say: a contract wallet, or a node that has not seen it yet. */
  nonce: number | null;
  /** What it does, in words. */
  label: string;
  sentAtMs: number;
  state: TxState;
  /** Hash that was mined in its place. */
  replacedBy: Hash | null;
  /** Why it reverted, in words. */
  reason: string | null;
}

const KEY = "rentroll.transactions";
const KEPT = 50;
const listeners = new Set<() => void>();
let cache: SentTransaction[] | null = null;

function read(): SentTransaction[] {
  if (cache !== null) return cache;
  try {
    const found: unknown = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    cache = Array.isArray(found) ? (found as SentTransaction[]) : [];
  } catch {
    cache = [];
  }
  return cache;
}

function write(next: SentTransaction[]): void {
  cache = next.slice(0, KEPT);
  try {
    localStorage.setItem(KEY, JSON.stringify(cache));
  } catch {
    // Storage is full or forbidden: the list lives as long as the page.
  }
  for (const listener of listeners) listener();
}

/** Remembers a transaction that the wallet accepted. */
export function rememberSent(sent: SentTransaction): void {
  write([sent, ...read().filter((t) => t.hash !== sent.hash)]);
}

/** Records what became of a transaction. */
export function noteOutcome(hash: Hash, change: Partial<SentTransaction>): void {
  write(read().map((t) => (t.hash === hash ? { ...t, ...change } : t)));
}

/** Forgets a transaction; the chain does not. */
export function forget(hash: Hash): void {
  write(read().filter((t) => t.hash !== hash));
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  const onStorage = (event: StorageEvent) => {
    if (event.key !== KEY) return;
    cache = null;
    listener();
  };
  addEventListener("storage", onStorage);
  return () => {
    listeners.delete(listener);
    removeEventListener("storage", onStorage);
  };
}

/** Transactions of this browser on a chain, newest first. Other tabs' are among them. */
export function useSentTransactions(chainId: number): SentTransaction[] {
  return useSyncExternalStore(subscribe, read).filter((t) => t.chainId === chainId);
}
