import { act, renderHook } from "@testing-library/react";
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { SentTransaction } from "./pending";

const KEY = "rentroll.transactions";

function sent(n: number, change: Partial<SentTransaction> = {}): SentTransaction {
  return {
    hash: `0x${n.toString(16).padStart(64, "0")}`,
    chainId: 1,
    from: "0xBcd4042DE499D14e55001CcbB24a551F3b954096",
    to: "0xDc64a140Aa3E981100a9becA4E685f962f0cF6C9",
    input: "0x",
    nonce: n,
    label: `Transaction ${n}`,
    sentAtMs: n,
    state: "pending",
    replacedBy: null,
    reason: null,
    ...change,
  };
}

/** The module as a freshly loaded page has it. */
async function load() {
  vi.resetModules();
  return await import("./pending");
}

beforeEach(() => localStorage.clear());

describe("transactions of this browser", () => {
  it("survive a reload", async () => {
    (await load()).rememberSent(sent(1));

    const { useSentTransactions } = await load();
    const { result } = renderHook(() => useSentTransactions(1));

    expect(result.current.map((t) => t.label)).toEqual(["Transaction 1"]);
  });

  it("of another tab appear, and are not overwritten", async () => {
    const { rememberSent, useSentTransactions } = await load();
    rememberSent(sent(1));
    const { result } = renderHook(() => useSentTransactions(1));

    act(() => {
      localStorage.setItem(KEY, JSON.stringify([sent(2), sent(1)]));
      dispatchEvent(new StorageEvent("storage", { key: KEY }));
    });
    expect(result.current.map((t) => t.nonce)).toEqual([2, 1]);

    // Written by another tab, and the event is not here yet.
    localStorage.setItem(KEY, JSON.stringify([sent(3), sent(2), sent(1)]));
    act(() => rememberSent(sent(4)));
    expect(result.current.map((t) => t.nonce)).toEqual([4, 3, 2, 1]);
  });

  it("get their outcome, and keep the rest", async () => {
    const { noteOutcome, rememberSent, useSentTransaction } = await load();
    rememberSent(sent(1));
    const replacedBy = sent(9).hash;

    act(() => noteOutcome(sent(1).hash, { state: "repriced", replacedBy }));

    const { result } = renderHook(() => useSentTransaction(1, replacedBy));
    expect(result.current).toEqual({ ...sent(1), state: "repriced", replacedBy });
  });

  it("of other chains are not shown", async () => {
    const { rememberSent, useSentTransactions } = await load();
    rememberSent(sent(1, { chainId: 5 }));

    expect(renderHook(() => useSentTransactions(1)).result.current).toEqual([]);
  });

  it("that are pending are kept however many follow", async () => {
    const { rememberSent, useSentTransactions } = await load();
    rememberSent(sent(1));
    for (let n = 2; n < 80; n++) rememberSent(sent(n, { state: "success" }));

    const nonces = renderHook(() => useSentTransactions(1)).result.current.map((t) => t.nonce);
    expect(nonces).toHaveLength(51);
    expect(nonces.at(-1)).toBe(1);
  });

  it("that are none are dropped, whatever wrote them", async () => {
    localStorage.setItem(KEY, JSON.stringify([{ hash: "javascript:alert(1)" }, 7, sent(1)]));

    const { useSentTransactions } = await load();
    expect(renderHook(() => useSentTransactions(1)).result.current).toEqual([sent(1)]);

    localStorage.setItem(KEY, "{broken");
    expect(renderHook(() => useSentTransactions(1)).result.current).toHaveLength(1);
    const again = await load();
    expect(renderHook(() => again.useSentTransactions(1)).result.current).toEqual([]);
  });
});
