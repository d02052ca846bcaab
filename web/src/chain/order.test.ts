import { getAddress, hashTypedData, recoverTypedDataAddress } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { describe, expect, it } from "vitest";
import {
  type SignedOrder,
  orderText,
  parseOrder,
  problemWithOrder,
  randomNonce,
  typedOrder,
} from "./order";

const DESK = getAddress(`0x${"d5".repeat(20)}`);
const HOLDER = "0xA1A1a1a1A1A1A1A1A1a1a1a1a1a1A1A1a1A1a1a1";
const OPERATOR = privateKeyToAccount(`0x${"11".repeat(32)}`);
const ORDER = {
  holder: HOLDER,
  id: (7n << 8n) | 1n,
  units: 12n,
  lease: `0x${"5a".repeat(32)}`,
  nonce: 2n ** 255n + 9n,
  deadline: 2n ** 40n,
} as const;
const SIGNED: SignedOrder = { order: ORDER, signature: `0x${"ab".repeat(65)}` };

describe("delivery orders", () => {
  it("are signed as the contract reads them", async () => {
    const typed = typedOrder(ORDER, 31_337, DESK);
    const signature = await OPERATOR.signTypedData(typed);

    expect(await recoverTypedDataAddress({ ...typed, signature })).toBe(OPERATOR.address);
    expect(hashTypedData(typed)).not.toBe(hashTypedData(typedOrder(ORDER, 1, DESK)));
  });

  it("survive being pasted", () => {
    expect(parseOrder(`  ${orderText(SIGNED)}\n`)).toEqual(SIGNED);
  });

  it.each([
    ["no text of ours", "hello"],
    ["a number", "7"],
    ["nothing", "null"],
    ["a holder that is none", orderText(SIGNED).replace(HOLDER, "0x12")],
    ["a lease that is none", orderText(SIGNED).replace("5a5a", "zz")],
    ["units that are none", orderText(SIGNED).replace('"12"', '"-12"')],
    ["numbers without quotes", orderText(SIGNED).replace('"12"', "12")],
    ["no signature", orderText(SIGNED).replace("abab", "xx")],
  ])("are refused: %s", (_, text) => {
    expect(parseOrder(text)).toBeNull();
  });

  it.each<[string, Partial<Parameters<typeof problemWithOrder>[1]>, RegExp | null]>([
    ["fits", {}, null],
    ["another account", { account: DESK }, /another account/],
    ["another tranche", { id: 7n << 8n }, /another position/],
    ["ended", { nowS: 2 ** 40 + 1 }, /has ended/],
    ["too few units", { free: 11n }, /more units/],
  ])("tell what speaks against them: %s", (_, own, expected) => {
    const problem = problemWithOrder(SIGNED, {
      account: HOLDER,
      id: ORDER.id,
      free: 12n,
      nowS: 2 ** 40,
      ...own,
    });

    if (expected === null) expect(problem).toBeNull();
    else expect(problem).toMatch(expected);
  });

  it("have numbers that nobody used", () => {
    expect(randomNonce()).not.toBe(randomNonce());
    expect(randomNonce() < 2n ** 256n).toBe(true);
  });
});
