import { describe, expect, it } from "vitest";
import { type Check, outcomeOf } from "../check";
import { checkEpoch } from "../checkEpoch";
import { EPOCH_CHECKS } from "../epochChecks";
import { pathOf } from "../evidence";
import { judge, placesFor } from "../judge";
import { parseLines } from "../linesCsv";
import { type Period, periodOf } from "../period";
import type { Statement } from "../statement";
import { capacityCheck, timesCheck } from "../storedChecks";
import { NUMBER, type Closed, closedWorld, rowOf } from "./closing";
import { EVIDENCE, golden } from "./vectors";
import { goldenSchedule } from "./world";

const bytes = (text: string) => new TextEncoder().encode(text);

// Four epochs of an hour, and a seal of an hour.
const schedule = goldenSchedule();
const { windowStartS: START, windowEndS: END, sealedAtS: SEALED, epochLengthS: HOUR } = schedule;

describe("periodOf", () => {
  const timesOf = (period: Period | null) =>
    period && [period.startS, period.endsFromS, period.endsUntilS, period.closing];
  const of = (endedAtS: bigint | null, number: number) =>
    timesOf(periodOf({ ...schedule, endedAtS }, number));

  it("is an epoch of the window, and behind the last the time up to the end of the seal", () => {
    expect(of(null, 0)).toEqual([START, START + HOUR, START + HOUR, false]);
    expect(of(null, 3)).toEqual([END - HOUR, END, END, false]);
    expect(of(null, 4)).toEqual([END, SEALED, SEALED, true]);
    expect(of(null, 5)).toBeNull();
  });

  it("is the same of a facility that ended once its seal was over", () => {
    expect(of(SEALED, 4)).toEqual([END, SEALED, SEALED, true]);
  });

  it("begins at the end of the last epoch that was over when the facility ended early", () => {
    const endedAtS = START + 2n * HOUR + 5n;

    expect(of(endedAtS, 1)).toEqual([START + HOUR, START + 2n * HOUR, START + 2n * HOUR, false]);
    // The grace is at most an epoch.
    expect(of(endedAtS, 2)).toEqual([START + 2n * HOUR, endedAtS + 1n, endedAtS + HOUR, true]);
    expect(of(endedAtS, 3)).toBeNull();
    expect(of(START + 2n * HOUR, 1)?.[3]).toBe(false);
    expect(of(SEALED - 1n, 4)).toEqual([END, SEALED, SEALED - 1n + HOUR, true]);
  });

  it("is nothing where no epoch was over", () => {
    expect(of(START + HOUR - 1n, 0)).toBeNull();
  });
});

describe("bounds and capacity of a statement", () => {
  const closed = (change: Partial<Statement> = {}): Statement => ({
    facilityId: 7n,
    epoch: NUMBER,
    epochStart: END,
    epochEnd: SEALED,
    availableGpuSeconds: 0n,
    availableAdjustment: 0n,
    billedGpuSeconds: 0n,
    grossRevenue: -1n,
    lineCount: 1,
    usageRoot: golden(0).root,
    evidenceHash: golden(0).root,
    previousStatementHash: golden(0).root,
    topRenterBps: 0,
    committedBps: 0,
    ...change,
  });
  const early = { ...schedule, endedAtS: START + 2n * HOUR + 5n };
  const ofEarly = { epoch: 2, epochStart: START + 2n * HOUR };

  it.each<[string, Partial<Statement>, typeof schedule, string]>([
    ["behind the last epoch", {}, schedule, "equal"],
    ["that begins late", { epochStart: END + 1n }, schedule, "different"],
    ["that ends before the seal", { epochEnd: SEALED - 1n }, schedule, "different"],
    ["with a number too high", { epoch: 5, epochStart: END + HOUR }, schedule, "different"],
    ["of an end in the window", { ...ofEarly, epochEnd: early.endedAtS + 1n }, early, "equal"],
    ["with a grace of an epoch", { ...ofEarly, epochEnd: early.endedAtS + HOUR }, early, "equal"],
    [
      "with a longer grace",
      { ...ofEarly, epochEnd: early.endedAtS + HOUR + 1n },
      early,
      "different",
    ],
    ["that ends with the facility", { ...ofEarly, epochEnd: early.endedAtS }, early, "different"],
  ])("of a closing statement %s", (_, change, terms, expected) => {
    expect(timesCheck(closed(change), terms).state).toBe(expected);
  });

  it("names the bounds that the terms give", () => {
    const { theirs } = timesCheck(closed({ epochEnd: SEALED + 1n }), schedule);

    const at = (seconds: bigint) =>
      new Date(Number(seconds) * 1000).toISOString().replace(".000", "");
    expect(theirs?.value).toBe(`${at(END)} to ${at(SEALED)}`);
    expect(theirs?.from).toContain("closing statement");
  });

  it.each<[string, Partial<Statement>, string]>([
    ["nothing available and billed", {}, "equal"],
    ["an adjustment of earlier epochs", { availableAdjustment: -60n }, "equal"],
    ["a second available", { availableGpuSeconds: 1n }, "different"],
    ["a second billed", { billedGpuSeconds: 1n }, "different"],
  ])("of a closing statement with %s", (_, change, expected) => {
    expect(capacityCheck(closed(change), schedule).state).toBe(expected);
  });

  it("of an epoch are those of all devices", () => {
    const most = schedule.deviceCount * HOUR;
    const of = (availableGpuSeconds: bigint) =>
      capacityCheck(closed({ epoch: 0, availableGpuSeconds }), schedule).state;

    expect([of(most), of(most + 1n)]).toEqual(["equal", "different"]);
  });
});

describe("checks of a closing statement", () => {
  async function run({ sources }: Closed) {
    const found = new Map<string, Check>();
    await checkEpoch(
      { ...sources, registry: EVIDENCE.registry },
      7n,
      NUMBER,
      (check) => found.set(check.id, check),
      new AbortController().signal,
    );
    return found;
  }
  const different = (found: Map<string, Check>) =>
    [...found.values()].filter((c) => c.state === "different").map((c) => c.id);

  it("are all equal, below zero too", async () => {
    const found = await run(await closedWorld());

    expect([...found.values()].filter((c) => c.state !== "equal")).toEqual([]);
    expect(found.size).toBe(EPOCH_CHECKS.length);
    expect(found.get("charge")?.ours?.value).toBe("-7000000 micros");
  });

  it("differ where its gross revenue has the other sign", async () => {
    const found = await run(await closedWorld({ grossRevenue: 7_000_000n }));

    expect(different(found)).toEqual(["charge"]);
    expect(found.get("charge")?.theirs?.value).toBe("7000000 micros");
  });

  it("differ where it runs beyond the seal, or has something available", async () => {
    const found = await run(await closedWorld({ epochEnd: SEALED + 1n, availableGpuSeconds: 9n }));

    expect(different(found)).toEqual(["times", "capacity"]);
  });

  it("differ where the facility had ended before that epoch was over", async () => {
    const found = await run(await closedWorld({}, START + 2n * HOUR));

    expect(different(found)).toEqual(["times"]);
  });
});

describe("a record of the closing statement", () => {
  it("is found from a line alone, late usage and a difference of the seal", async () => {
    const { lines, sources } = await closedWorld();

    for (const line of lines) {
      const verdict = await judge(bytes(rowOf(line)), {}, sources);
      expect(verdict).toMatchObject({ place: { facilityId: 7n, epoch: NUMBER }, closing: true });
      expect(outcomeOf(verdict.checks)).toBe("equal");
    }
  });

  it("differs by the sign of its charge", async () => {
    const { lines, sources } = await closedWorld();
    const text = rowOf(lines[1] as (typeof lines)[number]).replace(",-9000000,", ",9000000,");

    const verdict = await judge(bytes(text), {}, sources);

    expect(outcomeOf(verdict.checks)).toBe("different");
    expect(verdict.fields).toEqual([
      { name: "charge_micros", yours: "9000000", published: "-9000000" },
    ]);
  });

  it("is recognised as a file", async () => {
    const { files, sources } = await closedWorld();

    for (const name of ["statement.json", "manifest.json", "lines.csv"]) {
      const verdict = await judge(bytes(files.get(pathOf(7, NUMBER, name)) ?? ""), {}, sources);
      expect([name, outcomeOf(verdict.checks), verdict.closing]).toEqual([name, "equal", true]);
      expect(verdict.place?.epoch).toBe(NUMBER);
    }
  });

  it("is not said of an epoch's record", async () => {
    const { sources } = await closedWorld();
    const row = golden(1).files["lines.csv"].split("\n")[1] ?? "";

    expect(await judge(bytes(row), {}, sources)).toMatchObject({
      place: { epoch: 1 },
      closing: false,
    });
  });

  it("is looked for only where all epochs are closed", () => {
    const [line] = parseLines(golden(3).files["lines.csv"]);
    if (line === undefined) throw new Error("no line");
    // Late usage of epoch 1.
    const late = { ...line, kind: 2, startS: START + 3_600n, endS: START + 3_660n };
    const span = { facilityId: 7n, windowStartS: Number(START), epochLengthS: 3_600 };
    const of = (epochsClosed: number, closing: number | null) =>
      placesFor([{ ...span, epochsClosed, closing }], late, {}).map((p) => p.epoch);

    expect(of(3, 4)).toEqual([1, 2]);
    expect(of(4, 4)).toEqual([1, 2, 3, 4]);
    expect(of(4, null)).toEqual([1, 2, 3]);
  });
});
