import { describe, expect, it } from "vitest";
import {
  type Micros,
  counted,
  exactMoney,
  gpuHours,
  grouped,
  money,
  parseMoney,
  parseUnits,
  percentOfBps,
  percentOfPpm,
} from "./money";

describe("money", () => {
  it.each<[Micros, number, string]>([
    [0n, 2, "0.00"],
    [1_234_567_890n, 2, "1,234.56"],
    // Cut, never rounded up: nobody is shown a cent that is not there.
    [1_999_999n, 2, "1.99"],
    [1_999_999n, 0, "1"],
    [1_999_999n, 6, "1.999999"],
    [9_999n, 2, "<0.01"],
    [1n, 4, "<0.0001"],
    [999_999n, 0, "<1"],
    [10_000n, 2, "0.01"],
    [-1_234_567n, 2, "−1.23"],
    [-1n, 2, "−<0.01"],
    ["123456789012345678901234", 2, "123,456,789,012,345,678.90"],
    [2_490_000, 2, "2.49"],
  ])("of %s micros with %i decimals is %s", (micros, digits, text) => {
    expect(money(micros, digits)).toBe(text);
  });

  it("to the last digit is read back as the same micros", () => {
    for (const micros of [0n, 1n, 999_999n, 1_000_000n, 1_234_567_890_123n, 2n ** 128n]) {
      expect(parseMoney(exactMoney(micros))).toBe(micros);
    }
  });
});

describe("parseMoney", () => {
  it.each<[string, bigint | null]>([
    [" 1,200.50 ", 1_200_500_000n],
    ["1200.5", 1_200_500_000n],
    ["0.000001", 1n],
    ["0.0000001", null],
    ["12,00", null],
    ["0,500", null],
    ["1.200,50", null],
    ["-1", null],
    ["1e6", null],
    [".5", null],
    ["", null],
  ])("of %o is %s", (text, micros) => {
    expect(parseMoney(text)).toBe(micros);
  });
});

describe("parseUnits", () => {
  it.each<[string, bigint | null]>([
    [" 1,200 ", 1_200n],
    ["0", 0n],
    ["1.5", null],
    ["0,9", null],
    ["0,900", null],
    ["000,001", null],
    ["1,0", null],
    ["1,20", null],
    ["1200,000", null],
    [",", null],
    ["", null],
    ["1e3", null],
    ["99999999999999999999", 99_999_999_999_999_999_999n],
    ["9".repeat(31), null],
  ])("of %o is %s", (text, units) => {
    expect(parseUnits(text)).toBe(units);
  });
});

describe("counts and shares", () => {
  it.each([
    [grouped(1_234_567), "1,234,567"],
    [grouped(-1_234n), "-1,234"],
    [counted(1n, "unit"), "1 unit"],
    [counted(0, "unit"), "0 units"],
    [counted(1_200, "unit"), "1,200 units"],
    [percentOfPpm(987_654), "98.77 %"],
    [percentOfPpm(1_000_000, 1), "100.0 %"],
    [percentOfBps(2_000), "20 %"],
    [percentOfBps(1_250), "12.5 %"],
    [percentOfBps(1_255), "12.55 %"],
    [gpuHours(3_600), "1.00"],
    // One second short of an hour is not an hour.
    [gpuHours(3_599n), "0.99"],
    [gpuHours(4_444_416n), "1,234.56"],
    [gpuHours(-5_400n), "−1.50"],
  ])("%s", (text, expected) => {
    expect(text).toBe(expected);
  });
});
