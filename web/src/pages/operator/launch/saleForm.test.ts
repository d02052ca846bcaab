import { describe, expect, it } from "vitest";
import { type SoldOffer, saleDefaults, saleTerms } from "./saleForm";

const NOW = 1_796_083_200;
const WINDOW = NOW + 7 * 86_400;
// 1,200 units; 990 hours are promised, worth 2.00 each.
const OFFER: SoldOffer = {
  windowStartS: WINDOW,
  expiresAtS: WINDOW + 86_400,
  promisedGpuSeconds: 990n * 3_600n,
  tranches: [
    { id: 256n, capUnits: 800n, couponPerUnitMicros: 1_600_000n, supplyUnits: 0n },
    { id: 257n, capUnits: 400n, couponPerUnitMicros: 0n, supplyUnits: 0n },
  ],
  bondTerms: { requiredMicros: 1n, rateMicrosPerGpuHour: 2_000_000n },
};
const fields = { ...saleDefaults(NOW, OFFER), prices: ["1.50", "2"] };

describe("saleTerms", () => {
  it("converts prices to micros, times to UTC seconds and shares to bps", () => {
    expect(saleTerms(fields, NOW, OFFER).terms).toEqual({
      opensAt: BigInt(NOW),
      closesAt: BigInt(WINDOW - 3_600),
      floorProceeds: 1_000_000_000n,
      upFrontBps: 2_000,
      unitPrices: [1_500_000n, 2_000_000n],
    });
    expect(saleTerms({ ...fields, floor: "0.5" }, NOW, OFFER).terms?.floorProceeds).toBe(500_000n);
    expect(saleTerms({ ...fields, floor: "0" }, NOW, OFFER).terms?.floorProceeds).toBe(0n);
  });

  const wrong = (part: Partial<typeof fields>, offer: Partial<SoldOffer> = {}) =>
    Object.keys(saleTerms({ ...fields, ...part }, NOW, { ...OFFER, ...offer }).errors ?? {});

  it("refuses what the contract would refuse", () => {
    expect(wrong({ closesAt: "2027-12-01T00:00" })).toEqual(["closesAt"]);
    expect(wrong({ closesAt: "2026-11-30T00:00" })).toEqual(["closesAt"]);
    expect(wrong({}, { expiresAtS: WINDOW - 3_600 })).toEqual(["closesAt"]);
    expect(wrong({ floor: "2000.000001" })).toEqual(["floor"]);
    expect(wrong({ floor: "many" })).toEqual(["floor"]);
    expect(wrong({ upFront: "100.5" })).toEqual(["upFront"]);
    expect(wrong({ prices: ["0", "2"] })).toEqual(["prices.0"]);
    expect(wrong({ prices: ["1", ""] })).toEqual(["prices.1"]);
    expect(wrong({ upFront: "100", prices: ["1", "45035996.3"] })).toEqual(["prices.0"]);
  });

  it("refuses a price above what a unit with a coupon is ever paid", () => {
    expect(wrong({ prices: ["1.60", "1"] })).toEqual([]);
    expect(wrong({ prices: ["1.600001", "1"] })).toEqual(["prices.0"]);
  });

  it("refuses prices that the promise does not carry", () => {
    // 2,475 at cap less 20 % up front is 1,980: 990 hours at 2.00.
    expect(wrong({ prices: ["1.60", "2.987500"] })).toEqual([]);
    expect(wrong({ prices: ["1.60", "2.987501"] })).toEqual(["promise"]);
    expect(wrong({ upFront: "0" })).toEqual(["promise"]);
    expect(wrong({}, { bondTerms: null })).toEqual(["promise"]);
    expect(wrong({}, { promisedGpuSeconds: 0n })).toEqual(["promise"]);
  });
});
