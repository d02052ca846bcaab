import {
  type Hash,
  type Hex,
  type PublicClient,
  createPublicClient,
  custom,
  encodeErrorResult,
  numberToHex,
} from "viem";
import { beforeEach, describe, expect, it } from "vitest";
import { errorsAbi } from "./abis";
import { follow } from "./follow";
import { type SentTransaction, rememberSent } from "./pending";

const FROM = "0xbcd4042de499d14e55001ccbb24a551f3b954096";
const TO = "0xdc64a140aa3e981100a9beca4e685f962f0cf6c9";
const hashOf = (n: number): Hash => `0x${n.toString(16).padStart(64, "0")}`;

const SENT: SentTransaction = {
  hash: hashOf(1),
  chainId: 1,
  from: FROM,
  to: TO,
  input: "0x12345678",
  nonce: 7,
  label: "Claim",
  sentAtMs: 0,
  state: "pending",
  replacedBy: null,
  reason: null,
};

interface Tx {
  hash: Hash;
  input: Hex;
  to: string;
  block: number | null;
  status?: "0x0" | "0x1";
}

/** A chain of a few transactions of one account with one nonce, as a node answers. */
class FakeNode {
  head = 12;
  known: Tx[] = [];
  count = 7;
  revert: Hex | null = null;
  seenCall: unknown = null;

  private transaction(tx: Tx) {
    return {
      hash: tx.hash,
      from: FROM,
      to: tx.to,
      input: tx.input,
      value: "0x0",
      nonce: "0x7",
      gas: "0x1",
      gasPrice: "0x1",
      type: "0x0",
      chainId: "0x1",
      blockNumber: tx.block === null ? null : numberToHex(tx.block),
      blockHash: tx.block === null ? null : hashOf(0xb),
      transactionIndex: tx.block === null ? null : "0x0",
    };
  }

  private readonly request = async ({ method, params }: { method: string; params?: unknown }) => {
    const [first, second] = (params ?? []) as unknown[];
    const found = this.known.find((tx) => tx.hash === first);
    switch (method) {
      case "eth_blockNumber":
        return numberToHex(this.head);
      case "eth_getTransactionCount": {
        const until = typeof second === "string" && second.startsWith("0x") ? Number(second) : null;
        const mined = this.known.some(
          (tx) => tx.block !== null && tx.block <= (until ?? this.head),
        );
        return numberToHex(mined ? 8 : until === null ? this.count : 7);
      }
      case "eth_getTransactionByHash":
        return found === undefined ? null : this.transaction(found);
      case "eth_getTransactionReceipt":
        return found === undefined || found.block === null
          ? null
          : {
              transactionHash: found.hash,
              blockNumber: numberToHex(found.block),
              status: found.status ?? "0x1",
              logs: [],
              gasUsed: "0x1",
              effectiveGasPrice: "0x1",
              type: "0x0",
            };
      case "eth_getBlockByNumber":
        return {
          number: first,
          timestamp: "0x1",
          transactions: this.known
            .filter((tx) => tx.block !== null)
            .map((tx) => this.transaction(tx)),
        };
      case "eth_call":
        this.seenCall = { call: first, block: second };
        if (this.revert === null) return "0x";
        throw Object.assign(new Error("execution reverted"), { code: 3, data: this.revert });
      default:
        throw Object.assign(new Error(`no ${method}`), { code: -32601 });
    }
  };

  client(): PublicClient {
    return createPublicClient({
      transport: custom({ request: this.request }, { retryCount: 0 }),
      pollingInterval: 5,
      cacheTime: 0,
    }) as PublicClient;
  }
}

function stored(): SentTransaction | undefined {
  const all = JSON.parse(
    localStorage.getItem("rentroll.transactions") ?? "[]",
  ) as SentTransaction[];
  return all.find((t) => t.hash === SENT.hash);
}

async function outcomeOf(node: FakeNode, sent: SentTransaction = SENT) {
  rememberSent(sent);
  await follow(node.client(), sent, new AbortController().signal);
  return stored();
}

beforeEach(() => localStorage.clear());

describe("follow", () => {
  it("sees success", async () => {
    const node = new FakeNode();
    node.known = [{ hash: SENT.hash, input: SENT.input, to: TO, block: 9 }];

    expect(await outcomeOf(node)).toMatchObject({ state: "success", replacedBy: null });
  });

  it("waits while it is pending, and looks up a nonce that was not known", async () => {
    const node = new FakeNode();
    const tx: Tx = { hash: SENT.hash, input: SENT.input, to: TO, block: null };
    setTimeout(() => node.known.push(tx), 20);
    setTimeout(() => (tx.block = 12), 60);

    expect(await outcomeOf(node, { ...SENT, nonce: null })).toMatchObject({
      state: "success",
      nonce: 7,
    });
  });

  it.each([
    ["repriced", { input: SENT.input, to: TO }],
    ["cancelled", { input: "0x" as Hex, to: FROM }],
    ["replaced", { input: "0xffffffff" as Hex, to: TO }],
  ] as const)("sees what was %s", async (state, other) => {
    const node = new FakeNode();
    node.known = [{ hash: SENT.hash, input: SENT.input, to: TO, block: null }];
    // The node drops the first once the second is mined.
    setTimeout(() => (node.known = [{ hash: hashOf(2), block: 11, ...other }]), 20);

    expect(await outcomeOf(node)).toMatchObject({ state, replacedBy: hashOf(2) });
  });

  it("does not take a repriced call that reverted for done", async () => {
    const node = new FakeNode();
    node.known = [{ hash: hashOf(2), input: SENT.input, to: TO, block: 11, status: "0x0" }];
    node.revert = encodeErrorResult({ abi: errorsAbi, errorName: "EnforcedPause" });

    expect(await outcomeOf(node)).toMatchObject({ state: "reverted", replacedBy: hashOf(2) });
  });

  it("says why it reverted, asked at the block before", async () => {
    const node = new FakeNode();
    node.known = [{ hash: SENT.hash, input: SENT.input, to: TO, block: 9, status: "0x0" }];
    node.revert = encodeErrorResult({ abi: errorsAbi, errorName: "EnforcedPause" });

    expect(await outcomeOf(node)).toMatchObject({
      state: "reverted",
      reason: "Transfers and sales are paused. Claims go on.",
    });
    expect(node.seenCall).toMatchObject({ block: "0x8", call: { from: FROM, data: SENT.input } });
  });

  it("ends when the nonce was spent before the page was opened", async () => {
    const node = new FakeNode();
    node.count = 8;

    expect(await outcomeOf(node)).toMatchObject({ state: "replaced", replacedBy: null });
  });

  it("stops with the page, and leaves the transaction pending", async () => {
    const node = new FakeNode();
    const controller = new AbortController();
    rememberSent(SENT);
    setTimeout(() => controller.abort(), 20);

    await expect(follow(node.client(), SENT, controller.signal)).rejects.toThrow();
    expect(stored()?.state).toBe("pending");
  });
});
