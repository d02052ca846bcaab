import { describe, expect, it } from "vitest";
import { FACILITY_STATES } from "../../generated/states";
import { type VoucherFacts, standingOf, unitsExpired } from "./ended";

const [REGISTERED, OFFERED, FUNDED, DELIVERING, MATURED, CANCELLED, DEFAULTED] = FACILITY_STATES;

describe("unitsExpired", () => {
  it.each([
    [OFFERED, true, false],
    [FUNDED, true, false],
    [DELIVERING, false, false],
    [MATURED, true, true],
    [MATURED, false, true],
    [DEFAULTED, true, true],
    // Units of a failed sale are worth their price: burned for nothing, that would be lost.
    [CANCELLED, true, false],
    [CANCELLED, false, true],
    [REGISTERED, false, false],
  ])("of state %s, with a sale %s, is %s", (state, hasSale, expected) => {
    expect(unitsExpired(state, hasSale)).toBe(expected);
  });
});

const FACTS: VoucherFacts = {
  openGpuSeconds: 7_200n,
  facilityState: MATURED,
  nowS: 1_000,
  payableFromS: 1_000,
  bondMicros: 20_000_000n,
  rateMicrosPerGpuHour: 1_000_000n,
};

describe("standingOf", () => {
  it("pays two hours at their rate", () => {
    expect(standingOf(FACTS)).toEqual({
      kind: "payable",
      gpuSeconds: 7_200n,
      amountMicros: 2_000_000n,
    });
  });

  it("pays what the bond covers, rounded down, and no more", () => {
    const found = standingOf({ ...FACTS, bondMicros: 1_500_000n, rateMicrosPerGpuHour: 999_983n });

    expect(found).toEqual({ kind: "payable", gpuSeconds: 5_400n, amountMicros: 1_499_974n });
  });

  it.each<[string, Partial<VoucherFacts>, object]>([
    ["is closed without an open part", { openGpuSeconds: 0n }, { kind: "closed" }],
    ["runs while the facility delivers", { facilityState: DELIVERING }, { kind: "running" }],
    ["waits for late proofs", { nowS: 999 }, { kind: "waiting", fromS: 1_000 }],
    ["is unpaid at a rate of zero", { rateMicrosPerGpuHour: 0n }, { kind: "unpaid" }],
    ["finds the bond empty", { bondMicros: 0n }, { kind: "bondEmpty" }],
    ["finds too little for one second", { bondMicros: 277n }, { kind: "bondEmpty" }],
  ])("%s", (_, change, expected) => {
    expect(standingOf({ ...FACTS, ...change })).toEqual(expected);
  });

  it("does not wait in default", () => {
    const found = standingOf({ ...FACTS, facilityState: DEFAULTED, nowS: 0 });

    expect(found.kind).toBe("payable");
  });
});
