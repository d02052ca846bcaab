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
  /** Null until a node has seen it; for the proposal of a contract wallet that may be never. */
  nonce: number | null;
  /** Whether `from` is a contract: its other owners may have to sign before anything is sent. */
  fromContract?: boolean;
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
const STATES: readonly TxState[] = [
  "pending",
  "success",
  "reverted",
  "repriced",
  "cancelled",
  "replaced",
];
const HASH = /^0x[0-9a-fA-F]{64}$/;
const listeners = new Set<() => void>();
let cache: SentTransaction[] | null = null;
/** False once storage was full or forbidden: then only this page knows the list. */
let storing = true;

/** Whether a stored value is one of ours: older versions and other pages of the origin may write here too. */
function isSent(value: unknown): value is SentTransaction {
  const t = value as Partial<SentTransaction> | null;
  return (
    typeof t === "object" &&
    t !== null &&
    HASH.test(t.hash ?? "") &&
    typeof t.chainId === "number" &&
    typeof t.from === "string" &&
    typeof t.to === "string" &&
    typeof t.input === "string" &&
    typeof t.label === "string" &&
    STATES.includes(t.state as TxState)
  );
}

function stored(): SentTransaction[] {
  const found: unknown = JSON.parse(localStorage.getItem(KEY) ?? "[]");
  return Array.isArray(found) ? found.filter(isSent) : [];
}

function read(): SentTransaction[] {
  if (cache !== null) return cache;
  try {
    cache = stored();
  } catch {
    cache = [];
  }
  return cache;
}

/** What is stored now: another tab may have written since this one read. */
function readAgain(): SentTransaction[] {
  try {
    return storing ? stored() : read();
  } catch {
    return read();
  }
}

function write(next: SentTransaction[]): void {
  // The newest stay, and what is still pending however old it is.
  cache = next.filter((t, i) => i < KEPT || t.state === "pending");
  try {
    localStorage.setItem(KEY, JSON.stringify(cache));
  } catch {
    storing = false;
  }
  for (const listener of listeners) listener();
}

/** Remembers a transaction that the wallet accepted. */
export function rememberSent(sent: SentTransaction): void {
  write([sent, ...readAgain().filter((t) => t.hash !== sent.hash)]);
}

/** Records what became of a transaction. */
export function noteOutcome(hash: Hash, change: Partial<SentTransaction>): void {
  write(readAgain().map((t) => (t.hash === hash ? { ...t, ...change } : t)));
}

/** Forgets a transaction; the chain does not. */
export function forget(hash: Hash): void {
  write(readAgain().filter((t) => t.hash !== hash));
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  const onStorage = (event: StorageEvent) => {
    // `null` is a cleared storage.
    if (event.key !== KEY && event.key !== null) return;
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

/** The transaction of this browser with a hash, or the one that was mined in its place. */
export function useSentTransaction(chainId: number, hash: string): SentTransaction | null {
  const sent = useSentTransactions(chainId);
  return sent.find((t) => t.hash === hash) ?? sent.find((t) => t.replacedBy === hash) ?? null;
}
