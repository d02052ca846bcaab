import { describe, expect, it } from "vitest";
import { FACILITY_STATES, SALE_STATES } from "../../../generated/states";
import {
  type Phase,
  type Sale,
  endOf,
  mostUnits,
  phaseOf,
  problemWithUnits,
  unapproved,
} from "./sale";

const [NONE, OPEN, SUCCESSFUL, REFUNDING] = SALE_STATES;
const [, OFFERED, FUNDED, , , CANCELLED] = FACILITY_STATES;

const A = "0xBcd4042DE499D14e55001CcbB24a551F3b954096";
const SALE: Sale = {
  nowS: 500,
  block: 1n,
  facilityId: 1n,
  state: OPEN,
  facilityState: OFFERED,
  paused: false,
  soldUnits: 0,
  floorMicros: 1_500_000n,
  countedMicros: 0n,
  upFrontBps: 2_000,
  opensAtS: 100,
  closesAtS: 1_000,
  priceMicros: 1_500_000n,
  unitsLeft: 12,
  approval: { approvedAtS: 400, panel: { number: 1, threshold: 2, attesters: [A, A, A] } },
  token: { address: "0xdac17f958d2ee523a2206206994597c13d831ec7", symbol: "mUSD", decimals: 6 },
  deal: {
    priceMicros: 1_500_000n,
    rank: 0,
    tranches: [{ unitCap: 12n, couponPerUnitMicros: 0n }],
    feeBps: 100,
    upFrontBps: 2_000,
    windowStartS: 1_000,
    epochLengthS: 100,
    epochs: 4,
    promisedGpuSeconds: 43_200n,
    bondMicros: 0n,
    rateMicros: 1_000_000n,
  },
};

describe("phaseOf", () => {
  it("is none without a sale", () => {
    expect(phaseOf(null)).toBe("none");
  });

  it.each<[Phase, Partial<Sale>]>([
    ["none", { state: NONE }],
    ["succeeded", { state: SUCCESSFUL, facilityState: FUNDED }],
    ["failed", { state: REFUNDING, facilityState: CANCELLED }],
    ["open", {}],
    // From its first second, as PrimarySale has it, and no more in its last.
    ["open", { nowS: 100 }],
    ["early", { nowS: 99 }],
    ["open", { nowS: 999 }],
    ["closed", { nowS: 1_000 }],
    // Cancelled beside the sale: nobody can buy, whatever the hours say.
    ["closed", { facilityState: CANCELLED }],
    ["soldOut", { unitsLeft: 0 }],
    ["soldOut", { unitsLeft: 0, nowS: 99 }],
    ["closed", { unitsLeft: 0, nowS: 1_000 }],
    ["paused", { paused: true }],
    ["early", { paused: true, nowS: 99 }],
    ["soldOut", { paused: true, unitsLeft: 0 }],
    ["succeeded", { state: SUCCESSFUL, paused: true }],
  ])("is %s with %o", (phase, change) => {
    expect(phaseOf({ ...SALE, ...change })).toBe(phase);
  });
});

const PENDING: Partial<Sale> = { approval: { ...SALE.approval, approvedAtS: null } };

describe("unapproved", () => {
  it("says who must approve the devices, and that the price goes back otherwise", () => {
    expect(unapproved({ ...SALE, ...PENDING })).toBe(
      "2 of 3 attesters must approve the devices of this facility and have not yet; without that the sale fails at the window's start and the price goes back.",
    );
  });

  it("has nothing to say once they did, or once the offer is none any more", () => {
    expect(unapproved(SALE)).toBeNull();
    expect(unapproved({ ...SALE, ...PENDING, facilityState: CANCELLED })).toBeNull();
  });
});

describe("endOf", () => {
  const paid: Partial<Sale> = { soldUnits: 1, countedMicros: 1_500_000n };

  // As PrimarySale.finalize decides, at 1,000 the window begins.
  it.each<[string, boolean, Partial<Sale>]>([
    ["the facility is funded", true, paid],
    ["its floor was missed", true, { ...paid, countedMicros: 1_499_999n }],
    ["its floor was missed", true, PENDING],
    ["once 2 of 3 attesters approved the devices", false, { ...paid, ...PENDING, nowS: 999 }],
    ["did not approve the devices before", true, { ...paid, ...PENDING, nowS: 1_000 }],
    ["cancelled or expired", true, { ...paid, ...PENDING, facilityState: CANCELLED }],
  ])("says that %s", (words, possible, change) => {
    const end = endOf({ ...SALE, ...change });

    expect(end.words).toContain(words);
    expect(end.possible).toBe(possible);
  });
});

describe("problemWithUnits", () => {
  it.each<[bigint | null, bigint | null, string | null]>([
    [null, null, "Enter a whole number of units, such as 1,200."],
    [0n, null, "Choose at least one unit."],
    [12n, null, null],
    [13n, null, "Only 12 units are left."],
    [2n, 3_000_000n, null],
    [2n, 2_999_999n, "This costs more than the account has."],
    // What is left is said first: more money would not help.
    [13n, 0n, "Only 12 units are left."],
  ])("of %s units with a balance of %s is %s", (units, balance, problem) => {
    expect(problemWithUnits(units, SALE, balance)).toBe(problem);
  });

  it("counts a single unit as one", () => {
    expect(problemWithUnits(2n, { ...SALE, unitsLeft: 1 }, null)).toBe("Only 1 unit is left.");
  });
});

describe("mostUnits", () => {
  it.each<[bigint | null, bigint]>([
    [null, 12n],
    [0n, 0n],
    [1_499_999n, 0n],
    [4_500_000n, 3n],
    [4_499_999n, 2n],
    [1_000_000_000n, 12n],
  ])("with a balance of %s is %s", (balance, units) => {
    expect(mostUnits(SALE, balance)).toBe(units);
    if (units > 0n) expect(problemWithUnits(units, SALE, balance)).toBeNull();
    expect(problemWithUnits(units + 1n, SALE, balance)).not.toBeNull();
  });

  it("of what costs nothing is what is left", () => {
    expect(mostUnits({ ...SALE, priceMicros: 0n }, 0n)).toBe(12n);
  });
});
