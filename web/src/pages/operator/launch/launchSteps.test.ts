import { describe, expect, it } from "vitest";
import type { ChainFacts, OwnSale } from "../chainFacts";
import { launchSteps } from "./launchSteps";

const offered: ChainFacts = {
  state: "offered",
  gpuOperator: "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
  token: "0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512",
  windowStartS: 1_796_083_200,
  expiresAtS: 1_796_169_600,
  promisedGpuSeconds: 3_600n,
  attesterFeeBps: 4_000,
  tranches: [
    { id: 256n, capUnits: 800n, couponPerUnitMicros: 0n, supplyUnits: 0n },
    { id: 257n, capUnits: 400n, couponPerUnitMicros: 0n, supplyUnits: 0n },
  ],
  sale: null,
  bondMicros: 0n,
  bondTerms: null,
  bondSufficient: true,
  approval: { approvedAtS: 1_796_000_000, panel: { number: 1, threshold: 2, attesters: [] } },
  settleableMicros: 0n,
};
const sale: OwnSale = {
  state: "open",
  opensAtS: 0,
  closesAtS: 1,
  floorMicros: 0n,
  upFrontBps: 0,
  soldUnits: 0n,
  unitPricesMicros: [1n, 1n],
  proceedsMicros: 0n,
  countedMicros: 0n,
  releasedMicros: 0n,
  returnedMicros: 0n,
  releasableMicros: 0n,
};
const minted = (...supplies: bigint[]): ChainFacts => ({
  ...offered,
  tranches: offered.tranches.map((t, i) => ({ ...t, supplyUnits: supplies[i] ?? 0n })),
});
const bonded = {
  bondTerms: { requiredMicros: 5n, rateMicrosPerGpuHour: 1n },
  bondMicros: 5n,
  bondSufficient: true,
};

describe("launchSteps", () => {
  it("begins with the offer", () => {
    expect(launchSteps(null, null).steps).toMatchObject({
      register: "done",
      offer: "now",
      bond: "later",
    });
  });

  it("asks for the bond before units, first its terms and then what was agreed", () => {
    expect(launchSteps(offered, null).steps).toMatchObject({
      offer: "done",
      bond: "now",
      units: "later",
    });
    const thin = {
      ...offered,
      bondTerms: { requiredMicros: 5n, rateMicrosPerGpuHour: 1n },
      bondMicros: 4n,
      bondSufficient: false,
    };
    expect(launchSteps(thin, "sale").steps).toMatchObject({ bond: "now", units: "later" });
    expect(launchSteps({ ...offered, ...bonded }, "sale").steps).toMatchObject({
      bond: "done",
      units: "now",
    });
  });

  it("follows the chain, not the choice, once there is a sale or a unit", () => {
    expect(launchSteps({ ...offered, sale }, "mint").way).toBe("sale");
    expect(launchSteps(minted(1n), "sale").way).toBe("mint");
    expect(launchSteps(offered, "mint").way).toBe("mint");
  });

  it("takes minting as done with the first unit: a tranche may be wholly unsold", () => {
    expect(launchSteps({ ...offered, ...bonded }, "mint").steps).toMatchObject({
      units: "now",
      fund: "later",
    });
    expect(launchSteps({ ...minted(800n, 0n), ...bonded }, null).steps).toMatchObject({
      bond: "done",
      units: "done",
      fund: "now",
    });
    const thin = {
      ...minted(1n, 1n),
      bondTerms: { requiredMicros: 5n, rateMicrosPerGpuHour: 1n },
      bondSufficient: false,
    };
    expect(launchSteps(thin, null).steps).toMatchObject({ bond: "now", fund: "later" });
  });

  it("waits for the approval of the devices, before placed units are funded", () => {
    const pending = { ...offered.approval, approvedAtS: null };
    const placed = { ...minted(1n, 0n), ...bonded, approval: pending };

    expect(launchSteps(offered, null).steps.approval).toBe("done");
    expect(launchSteps({ ...offered, approval: pending }, null).steps).toMatchObject({
      offer: "done",
      approval: "waiting",
      bond: "now",
    });
    expect(launchSteps(placed, null).steps).toMatchObject({ units: "done", fund: "waiting" });
    expect(launchSteps({ ...placed, bondSufficient: false }, null).steps.fund).toBe("later");
    // A sale goes on without it, and ends only with it.
    expect(launchSteps({ ...placed, sale }, null).steps.fund).toBe("now");
  });

  it("has nothing left once funded, and says when it ended otherwise", () => {
    expect(
      Object.values(launchSteps({ ...offered, state: "delivering" }, null).steps),
    ).not.toContain("now");
    for (const state of ["cancelled", "defaulted", "stopped"] as const) {
      expect(launchSteps({ ...offered, state }, null).over).toBe(state);
    }
  });
});
