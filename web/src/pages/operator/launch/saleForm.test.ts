import { describe, expect, it } from "vitest";
import { saleDefaults, saleTerms } from "./saleForm";

const NOW = 1_796_083_200;
const WINDOW = NOW + 7 * 86_400;
const CAPS = [800n, 400n];
const fields = { ...saleDefaults(NOW, WINDOW, CAPS), prices: ["1.50", "2"] };

describe("saleTerms", () => {
  it("converts prices to micros, times to UTC seconds and shares to bps", () => {
    expect(saleTerms(fields, NOW, WINDOW, CAPS).terms).toEqual({
      opensAt: BigInt(NOW),
      closesAt: BigInt(WINDOW - 3_600),
      floorUnits: 600,
      upFrontBps: 2_000,
      unitPrices: [1_500_000n, 2_000_000n],
    });
  });

  it("refuses what the contract would refuse", () => {
    const wrong = (part: Partial<typeof fields>) =>
      Object.keys(saleTerms({ ...fields, ...part }, NOW, WINDOW, CAPS).errors ?? {});

    expect(wrong({ closesAt: "2027-12-01T00:00" })).toEqual(["closesAt"]);
    expect(wrong({ closesAt: "2026-11-30T00:00" })).toEqual(["closesAt"]);
    expect(wrong({ floor: "1201" })).toEqual(["floor"]);
    expect(wrong({ upFront: "100.5" })).toEqual(["upFront"]);
    expect(wrong({ prices: ["0", "2"] })).toEqual(["prices.0"]);
    expect(wrong({ prices: ["1", ""] })).toEqual(["prices.1"]);
    expect(wrong({ prices: ["22517998", "2251799.8"] })).toEqual(["prices.0"]);
  });
});
