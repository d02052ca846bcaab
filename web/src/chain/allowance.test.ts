import { type Hex, createPublicClient, custom, http } from "viem";
import { describe, expect, it } from "vitest";
import { type Allowance, approveData, needsReset } from "./allowance";

const TOKEN = "0xdac17f958d2ee523a2206206994597c13d831ec7";
const OWNER = "0xbcd4042de499d14e55001ccbb24a551f3b954096";
const SPENDER = "0xdc64a140aa3e981100a9beca4e685f962f0cf6c9";

/** A node on which a token takes exactly the approvals in `taken`; it counts what it was asked. */
function nodeTaking(taken: readonly bigint[]) {
  const asked: Hex[] = [];
  const good = taken.map((value) => approveData(SPENDER, value));
  const client = createPublicClient({
    transport: custom(
      {
        request: ({ method, params }: { method: string; params: [{ data: Hex; from: Hex }] }) => {
          if (method !== "eth_call") throw new Error(method);
          const [{ data, from }] = params;
          expect(from.toLowerCase()).toBe(OWNER);
          asked.push(data);
          // USDT answers nothing at all.
          if (good.includes(data)) return Promise.resolve("0x");
          throw Object.assign(new Error("execution reverted"), { code: 3, data: "0x" });
        },
      },
      { retryCount: 0 },
    ),
  });
  return { client, asked };
}

const allowance = (current: bigint, wanted: bigint): Allowance => ({
  token: TOKEN,
  owner: OWNER,
  spender: SPENDER,
  current,
  wanted,
});

describe("needsReset", () => {
  it("is true where a change is refused and a reset is taken", async () => {
    const { client } = nodeTaking([0n]);

    expect(await needsReset(client, allowance(5n, 9n))).toBe(true);
  });

  it("is false where a change is taken", async () => {
    const { client, asked } = nodeTaking([9n, 0n]);

    expect(await needsReset(client, allowance(5n, 9n))).toBe(false);
    expect(asked).toEqual([approveData(SPENDER, 9n)]);
  });

  it("is false where both are refused: the reset would not help", async () => {
    const { client } = nodeTaking([]);

    expect(await needsReset(client, allowance(5n, 9n))).toBe(false);
  });

  it.each([
    [0n, 9n],
    [9n, 9n],
    [10n, 9n],
  ])("asks nobody with an allowance of %s for %s", async (current, wanted) => {
    const { client, asked } = nodeTaking([0n]);

    expect(await needsReset(client, allowance(current, wanted))).toBe(false);
    expect(asked).toEqual([]);
  });

  it("does not take a silent node for a refusal", async () => {
    const client = createPublicClient({
      transport: http("http://127.0.0.1:1", {
        retryCount: 0,
        fetchFn: () => Promise.reject(new TypeError("Failed to fetch")),
      }),
    });

    await expect(needsReset(client, allowance(5n, 9n))).rejects.toThrow();
  });
});
