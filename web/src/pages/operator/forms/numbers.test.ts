import { describe, expect, it } from "vitest";
import {
  bpsOfPercent,
  jsonInteger,
  ppmOfPercent,
  rfc3339,
  scaled,
  utcInput,
  utcSeconds,
} from "./numbers";

describe("scaled", () => {
  it("is exact where binary floats are not", () => {
    expect(scaled("0.29", 2)).toBe(29n);
    expect(scaled("99.9999", 4)).toBe(999_999n);
    expect(scaled("999999999999.999999", 6)).toBe(999_999_999_999_999_999n);
  });

  it("takes no more decimals than asked for, and no signs or exponents", () => {
    expect(scaled("1.005", 2)).toBeNull();
    expect(scaled("-1", 2)).toBeNull();
    expect(scaled("1e3", 2)).toBeNull();
    expect(scaled("", 2)).toBeNull();
  });
});

describe("percent", () => {
  it("becomes parts per million and basis points", () => {
    expect(ppmOfPercent("99")).toBe(990_000);
    expect(ppmOfPercent("100")).toBe(1_000_000);
    expect(ppmOfPercent("100.0001")).toBeNull();
    expect(bpsOfPercent("1.25")).toBe(125);
    expect(bpsOfPercent("10.01", 10)).toBeNull();
  });
});

describe("jsonInteger", () => {
  it("refuses what a JSON number would round", () => {
    expect(jsonInteger(2n ** 53n - 1n)).toBe(9_007_199_254_740_991);
    expect(jsonInteger(2n ** 53n)).toBeNull();
  });
});

describe("times", () => {
  it("are UTC, whatever zone the browser is in", () => {
    expect(utcSeconds("2026-12-01T00:00")).toBe(1_796_083_200);
    expect(rfc3339(1_796_083_200)).toBe("2026-12-01T00:00:00Z");
    expect(utcInput(1_796_083_200)).toBe("2026-12-01T00:00");
    expect(utcSeconds(utcInput(1_796_083_207))).toBe(1_796_083_207);
  });

  it("refuse days that do not exist, and text", () => {
    expect(utcSeconds("2026-02-31T00:00")).toBeNull();
    expect(utcSeconds("tomorrow")).toBeNull();
    expect(utcSeconds("")).toBeNull();
  });
});
