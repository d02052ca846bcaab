import { describe, expect, it } from "vitest";
import { FACILITY_STATES } from "../generated/states";
import {
  type LifeCycle,
  actsOf,
  cureUntilOf,
  overdueFromOf,
  publishableEpochOf,
  unpaidOf,
} from "./lifeCycle";
import { DAY_S, HOUR_S, START_S, FACTS as UNSTATED } from "./lifeCycle.fixture";

/** The first epoch is stated, final, paid and settled. */
const FACTS: LifeCycle = {
  ...UNSTATED,
  firstOpen: 1,
  epochsPosted: 1,
  settledEpochs: 1,
  attestedMicros: 10n,
  collectedMicros: 10n,
  settledMicros: 10n,
};
const ALL_FINAL = { firstOpen: 4, closingStatement: "final", settledEpochs: 4 } as const;
const acts = (change: Partial<LifeCycle>) =>
  actsOf({ ...FACTS, ...change }).map(({ name, fromS }) => [name, fromS - START_S]);

describe("overdueFromOf", () => {
  it.each<[string, Partial<LifeCycle>, number | null]>([
    ["the epoch's end", {}, 2 * HOUR_S + 2 * DAY_S],
    ["a later funding", { fundedAtS: START_S + 3 * HOUR_S }, 3 * HOUR_S + 2 * DAY_S],
    ["a later void", { voidedAtS: START_S + 5 * HOUR_S }, 5 * HOUR_S + 2 * DAY_S],
    // Not from a rejection: that takes back the operator's own word alone.
    ["no rejection", { rejectedAtS: START_S + 5 * HOUR_S }, 2 * HOUR_S + 2 * DAY_S],
    ["the second after one", { rejectedAtS: START_S + 3 * DAY_S }, 3 * DAY_S + 1],
    ["nothing when no epoch is open", { firstOpen: 4 }, null],
  ])("runs from %s", (_, change, expected) => {
    const found = overdueFromOf({ ...FACTS, ...change });

    expect(found).toBe(expected === null ? null : START_S + expected);
  });
});

describe("cureUntilOf", () => {
  const noticedAtS = START_S + 3 * DAY_S;

  it("is an epoch and a day after the notice", () => {
    expect(cureUntilOf({ ...FACTS, noticedAtS })).toBe(noticedAtS + HOUR_S + DAY_S);
  });

  it.each<[string, Partial<LifeCycle>]>([
    ["no notice was given", { noticedAtS: null }],
    ["a void came after it, or in its second", { voidedAtS: noticedAtS }],
    ["a rejection came after it", { rejectedAtS: noticedAtS + 1 }],
  ])("is null where %s", (_, change) => {
    expect(cureUntilOf({ ...FACTS, noticedAtS, ...change })).toBeNull();
  });
});

describe("publishableEpochOf", () => {
  it("is the first open epoch, from its end on and while the facility delivers", () => {
    const of = (change: Partial<LifeCycle>) => publishableEpochOf({ ...FACTS, ...change });

    expect(of({})).toBe(1);
    expect(of({ nowS: FACTS.nowS - 1 })).toBeNull();
    expect(of({ firstOpen: 4, nowS: START_S + DAY_S })).toBeNull();
    expect(of({ state: "defaulted" })).toBeNull();
  });
});

describe("unpaidOf", () => {
  it("is known once the closing statement is final, settled or not", () => {
    const of = (change: Partial<LifeCycle>) => unpaidOf({ ...FACTS, ...change });

    expect(of(ALL_FINAL)).toBe(0n);
    expect(of({})).toBeNull();
    // Every epoch is stated and final: what came late of them is still to come.
    expect(of({ ...ALL_FINAL, closingStatement: "missing" })).toBeNull();
    expect(of({ ...ALL_FINAL, closingStatement: "posted" })).toBeNull();
    expect(of({ ...ALL_FINAL, settledEpochs: 3 })).toBe(0n);
    expect(of({ ...ALL_FINAL, attestedMicros: 12n })).toBe(2n);
    expect(of({ ...ALL_FINAL, attestedMicros: 9n })).toBe(0n);
    // One minor unit in front of it puts nothing off.
    expect(of({ ...ALL_FINAL, attestedMicros: 12n, collectedMicros: 11n })).toBe(1n);
  });
});

describe("actsOf", () => {
  it("shows notice of default from its time on, and then the end of the cure", () => {
    expect(acts({})).toEqual([["noticeDefault", 2 * HOUR_S + 2 * DAY_S]]);
    expect(acts({ noticedAtS: START_S + 3 * DAY_S })).toEqual([
      ["declareDefault", 4 * DAY_S + HOUR_S],
    ]);
  });

  it("shows nothing of an epoch that still runs", () => {
    expect(acts({ nowS: FACTS.nowS - 1 })).toEqual([]);
  });

  it("matures at once without unpaid rent, else 90 days after a notice", () => {
    expect(acts(ALL_FINAL)).toEqual([["mature", 2 * HOUR_S]]);
    const unpaid = { ...ALL_FINAL, attestedMicros: 12n };
    expect(acts(unpaid)).toEqual([["noticeUnpaid", 2 * HOUR_S]]);
    expect(acts({ ...unpaid, unpaidNoticedAtS: START_S + DAY_S })).toEqual([
      ["mature", 91 * DAY_S],
    ]);
  });

  it.each(["missing", "posted"] as const)(
    "neither matures nor takes notice of unpaid rent while the closing statement is %s",
    (closingStatement) => {
      const waits = { ...ALL_FINAL, closingStatement };

      expect(acts(waits)).toEqual([]);
      expect(acts({ ...waits, attestedMicros: 12n })).toEqual([]);
    },
  );

  it("shows the long stop once the window is over", () => {
    const names = (nowS: number) => actsOf({ ...FACTS, nowS }).map((act) => act.name);

    expect(names(FACTS.offer.windowEndS - 1)).not.toContain("stop");
    expect(acts({ nowS: FACTS.offer.windowEndS })).toContainEqual([
      "stop",
      // The window, the seal, and the term of the offer.
      4 * HOUR_S + (35 + 90) * DAY_S,
    ]);
  });

  it.each(FACILITY_STATES)("of a facility that is %s fits its state", (state) => {
    const ended = ["matured", "defaulted", "stopped"].includes(state);
    const names = actsOf({ ...FACTS, state, closableFromS: START_S + 9 * DAY_S }).map(
      (a) => a.name,
    );

    expect(names).toEqual(ended ? ["close"] : state === "delivering" ? ["noticeDefault"] : []);
  });

  it("has nothing left once it is closed", () => {
    expect(acts({ state: "matured", closedAtS: START_S + 9 * DAY_S })).toEqual([]);
  });
});
