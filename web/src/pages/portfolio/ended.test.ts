import { describe, expect, it } from "vitest";
import { FACILITY_STATES } from "../../generated/states";
import { type VoucherFacts, standingOf, unitsExpired } from "./ended";

const [, , , DELIVERING, MATURED, CANCELLED, DEFAULTED] = FACILITY_STATES;

describe("unitsExpired", () => {
  it.each(FACILITY_STATES)(
    "of a facility that is %s needs a cancelled offer without a sale",
    (state) => {
      // Units of a failed sale are worth their price: burned for nothing, that would be lost.
      expect(unitsExpired(state, true)).toBe(false);
      expect(unitsExpired(state, false)).toBe(state === CANCELLED);
    },
  );
});

const FACTS: VoucherFacts = {
  openGpuSeconds: 7_200n,
  facilityState: MATURED,
  closed: true,
  closableFromS: null,
  creditedMicros: 0n,
  payableMicros: 2_000_000n,
  claimMicros: 0n,
};

describe("standingOf", () => {
  it.each<[string, Partial<VoucherFacts>, object]>([
    ["is payable once the facility is closed", {}, { kind: "payable", amountMicros: 2_000_000n }],
    ["is served without an open part", { openGpuSeconds: 0n }, { kind: "served" }],
    [
      "runs while the facility delivers",
      { facilityState: DELIVERING, closed: false },
      { kind: "running" },
    ],
    [
      "waits for the closing of a default too",
      { facilityState: DEFAULTED, closed: false, closableFromS: 1_000 },
      { kind: "waiting", fromS: 1_000 },
    ],
    [
      "is credited once nothing more is there",
      { payableMicros: 0n, creditedMicros: 5n },
      { kind: "credited", amountMicros: 5n, more: false },
    ],
    [
      "may get more where its tranche's vouchers are still owed something",
      { payableMicros: 0n, creditedMicros: 5n, claimMicros: 1n },
      { kind: "credited", amountMicros: 5n, more: true },
    ],
    [
      "is payable again when late rent came",
      { payableMicros: 1n, creditedMicros: 5n },
      { kind: "payable", amountMicros: 1n },
    ],
  ])("%s", (_, change, expected) => {
    expect(standingOf({ ...FACTS, ...change })).toEqual(expected);
  });
});
