import { describe, expect, it } from "vitest";
import {
  type Deal,
  certainLossOf,
  couponOf,
  defaultText,
  evenAfter,
  rentToBeEven,
  scheduleOf,
} from "./deal";

/** The deal of docs/DEAL.md: 20 senior units at 2.00 with a coupon of 2.20, 20 junior ones at 1.00, 40 hours. */
const SENIOR: Deal = {
  priceMicros: 2_000_000n,
  rank: 0,
  tranches: [
    { unitCap: 20n, couponPerUnitMicros: 2_200_000n },
    { unitCap: 20n, couponPerUnitMicros: 0n },
  ],
  feeBps: 0,
  upFrontBps: 2_000,
  windowStartS: 1_000,
  epochLengthS: 100,
  epochs: 4,
  promisedGpuSeconds: 144_000n,
  bondMicros: 100_000_000n,
  rateMicros: 2_500_000n,
};
const JUNIOR: Deal = { ...SENIOR, priceMicros: 1_000_000n, rank: 1 };

describe("a unit with a coupon", () => {
  it("is paid its coupon at most, and loses for certain what it costs above it", () => {
    expect(couponOf(SENIOR)).toBe(2_200_000n);
    expect(certainLossOf(SENIOR)).toBe(0n);
    expect(certainLossOf({ ...SENIOR, priceMicros: 2_200_000n })).toBe(0n);
    expect(certainLossOf({ ...SENIOR, priceMicros: 2_200_001n })).toBe(1n);
  });

  it.each<[bigint, number | null]>([
    // Half of the coupon is due after two of four epochs, and one micro more only after three.
    [1_100_000n, 2],
    [1_100_001n, 3],
    [2_200_000n, 4],
    [2_200_001n, null],
  ])("that costs %s is even after %s epochs", (priceMicros, epochs) => {
    const found = evenAfter({ ...SENIOR, priceMicros });

    expect(found).toEqual(epochs === null ? null : { epochs, endS: 1_000 + epochs * 100 });
  });

  it("falls due in equal parts that sum to the coupon", () => {
    expect(scheduleOf(SENIOR, 3n)).toEqual([
      { epochs: 1, endS: 1_100, micros: 1_650_000n },
      { epochs: 2, endS: 1_200, micros: 3_300_000n },
      { epochs: 3, endS: 1_300, micros: 4_950_000n },
      { epochs: 4, endS: 1_400, micros: 6_600_000n },
    ]);
    expect(scheduleOf({ ...SENIOR, epochs: 1 }, 1n).map((due) => due.micros)).toEqual([2_200_000n]);
  });

  it("has no rent to be even by, for its coupon says it all", () => {
    expect(rentToBeEven(SENIOR)).toBeNull();
  });
});

describe("a unit of the last tranche", () => {
  it("has neither a most nor a schedule", () => {
    expect(couponOf(JUNIOR)).toBeNull();
    expect(certainLossOf({ ...JUNIOR, priceMicros: 10n ** 12n })).toBe(0n);
    expect(evenAfter(JUNIOR)).toBeNull();
    expect(scheduleOf(JUNIOR, 3n)).toEqual([]);
  });

  it("is even once rent pays all coupons before it and its price for every unit of it", () => {
    // 20 x 2.20 + 20 x 1.00 = 64.00 over 40 hours.
    expect(rentToBeEven(JUNIOR)).toEqual({ micros: 64_000_000n, perHourMicros: 1_600_000n });
  });

  it("needs more rent for the fee, rounded up", () => {
    expect(rentToBeEven({ ...JUNIOR, feeBps: 100 })?.micros).toBe(64_646_465n);
    expect(rentToBeEven({ ...JUNIOR, promisedGpuSeconds: 0n })).toBeNull();
  });
});

describe("defaultText", () => {
  it.each([
    [SENIOR, "Units never get more than their coupon"],
    [JUNIOR, "Units get what is left after the coupons before them"],
  ])("is two sentences with the bond and the price of an hour", (deal, words) => {
    const text = defaultText(deal, "mUSD");

    expect(text.match(/[a-z)]\.(?= |$)|\d\.(?= |$)/g)).toHaveLength(2);
    expect(text).toContain("100.00 mUSD");
    expect(text).toContain("missing at 2.500000.");
    expect(text).toContain(words);
  });
});
