import { describe, expect, it } from "vitest";
import { type Act, type LifeCycle, actsOf } from "../chain/lifeCycle";
import { FACTS, HOUR_S, START_S } from "../chain/lifeCycle.fixture";
import { FACILITY_STATES } from "../generated/states";
import { actText, standingText } from "./endingText";

describe("standingText", () => {
  // The closing statement has tests of its own.
  const SEALED = { ...FACTS, closingStatement: "final" } as const;

  it.each<[string, Partial<LifeCycle>]>([
    ["Epochs 0 to 1 are over, and neither stated nor published.", {}],
    ["Epoch 1 is over, and neither stated nor published.", { firstOpen: 1, epochsPosted: 1 }],
    ["Every epoch that is over is stated or published.", { firstOpen: 2, epochsPosted: 2 }],
    [
      "Every epoch that is over is stated or published. Epoch 1 is published, by the operator or because a void left it so, without a statement that stands: that earns no proceeds.",
      { firstOpen: 2, epochsPosted: 1 },
    ],
    ["No epoch is over yet.", { nowS: START_S + HOUR_S - 1 }],
    ["Its window begins at 2026-09-22 00:00 UTC.", { state: "funded" }],
    [
      "It went into default at 2026-09-22 05:00 UTC. It is not closed yet: bond and unearned proceeds wait.",
      { state: "defaulted", endedAtS: START_S + 5 * HOUR_S },
    ],
    [
      "It was stopped at 2026-09-22 05:00 UTC. It was closed at 2026-09-22 06:00 UTC.",
      { state: "stopped", endedAtS: START_S + 5 * HOUR_S, closedAtS: START_S + 6 * HOUR_S },
    ],
  ])("says: %s", (sentence, change) => {
    expect(standingText({ ...SEALED, ...change })).toBe(sentence);
  });

  const SEAL_OVER_S = FACTS.offer.windowEndS + FACTS.offer.sealS;

  it.each<[string, Partial<LifeCycle>]>([
    [
      "Late usage, late outages and corrections can be stated until the seal is over at 2026-10-27 04:00 UTC. Its closing statement comes then; nothing matures before that is final.",
      { nowS: SEAL_OVER_S - 1 },
    ],
    [
      "The seal is over since 2026-10-27 04:00 UTC. Its closing statement is not posted yet; nothing matures before that is final.",
      { nowS: SEAL_OVER_S },
    ],
    [
      "Its closing statement is posted and can still be challenged: nothing matures before it is final.",
      { nowS: SEAL_OVER_S, closingStatement: "posted" },
    ],
  ])("says what maturity waits for: %s", (sentence, change) => {
    const stated = { ...FACTS, firstOpen: 4, epochsPosted: 4, ...change };

    expect(standingText(stated)).toBe(
      `Every epoch that is over is stated or published. ${sentence}`,
    );
  });

  it("says nothing of a seal once the facility has ended", () => {
    expect(standingText({ ...FACTS, state: "defaulted" })).not.toContain("seal");
  });

  it.each(FACILITY_STATES)("reads well of a facility that is %s", (state) => {
    expect(standingText({ ...FACTS, state })).toMatch(/^[A-Z][^_]*\.$/);
  });
});

describe("actText", () => {
  const NAMES: Act["name"][] = [
    "noticeDefault",
    "declareDefault",
    "noticeUnpaid",
    "mature",
    "stop",
    "close",
  ];

  it.each(NAMES)("of %s tells what is possible now from what is possible later", (name) => {
    const act = { name, epoch: 1, unpaidMicros: 5_000_000n };
    const now = actText({ ...act, fromS: FACTS.nowS }, FACTS, 7);
    const later = actText({ ...act, fromS: START_S + 9 * HOUR_S }, FACTS, 7);

    for (const { sentence, label } of [now, later]) {
      expect(sentence).toMatch(/^[A-Z].*\.$/);
      expect(sentence).not.toMatch(/undefined|NaN|null/);
      expect(label).toMatch(/: facility 7$/);
    }
    expect(now.sentence).not.toContain("09:00");
    // Notice of unpaid rent waits for nothing.
    expect(later.sentence.includes("2026-09-22 09:00 UTC")).toBe(name !== "noticeUnpaid");
  });

  it.each(["mature", "noticeUnpaid"] as const)(
    "of %s names the closing statement, not the epochs, as what is final",
    (name) => {
      const unpaidMicros = name === "mature" ? 0n : 5_000_000n;
      const act: Act = { name, epoch: null, fromS: FACTS.nowS, unpaidMicros };

      expect(actText(act, FACTS, 7).sentence).toMatch(/^The closing statement is final, and /);
    },
  );

  it("says what a closing waits for: after maturity nothing is stated any more", () => {
    const act: Act = { name: "close", epoch: null, fromS: START_S + 9 * HOUR_S, unpaidMicros: 0n };
    const of = (state: LifeCycle["state"]) => actText(act, { ...FACTS, state }, 7).sentence;

    expect(of("matured")).toMatch(/^Last deliveries are counted first: /);
    expect(of("defaulted")).toMatch(/^Last statements and deliveries come first: /);
  });

  it("names the epoch, its end and how long its cure is", () => {
    const [act] = actsOf(FACTS);

    expect(act && actText(act, FACTS, 7).sentence).toBe(
      "Epoch 0 ended at 2026-09-22 01:00 UTC and is neither stated nor published. If it stays so, anybody can give notice from 2026-09-24 01:00 UTC; the operator then has 1 d 1 h left before a default.",
    );
  });
});
