import { describe, expect, it } from "vitest";
import { date, duration, instant, relative, span } from "./time";

const MIDNIGHT = 1_790_035_200;

describe("span", () => {
  it("is two dates, or one date with its hours", () => {
    expect(span(MIDNIGHT, MIDNIGHT + 86_400)).toBe("2026-09-22 – 2026-09-23");
    expect(span(MIDNIGHT + 3_600, MIDNIGHT + 7_260)).toBe("2026-09-22, 01:00 – 02:01 UTC");
  });
});

describe("instant", () => {
  it("is of UTC, cut to the minute", () => {
    expect(instant(MIDNIGHT + 59)).toBe("2026-09-22 00:00 UTC");
    expect(date(MIDNIGHT - 1)).toBe("2026-09-21");
  });
});

describe("duration", () => {
  it.each([
    [0, "0 s"],
    [-5, "0 s"],
    [45, "45 s"],
    [60, "1 min"],
    [3_661, "1 h 1 min"],
    // Of parts that do not touch, the larger alone: seconds do not matter beside hours.
    [3_601, "1 h"],
    [100_000, "1 d 3 h"],
  ])("of %i s is %s", (seconds, text) => {
    expect(duration(seconds)).toBe(text);
  });
});

describe("relative", () => {
  it.each([
    [100, "now"],
    [160, "in 1 min"],
    [40, "1 min ago"],
  ])("of %i, seen from 100, is %s", (seconds, text) => {
    expect(relative(seconds, 100)).toBe(text);
  });
});
