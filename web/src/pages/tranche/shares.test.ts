import { describe, expect, it } from "vitest";
import { axisMoney, axisPercent, shareOf } from "./shares";

describe("shareOf", () => {
  it("rounds down", () => expect(shareOf(2, 3)).toBe(666_666));

  it("is unknown, not zero, where a part is unknown or the whole is nothing", () => {
    expect([shareOf(null, 3), shareOf(1, null), shareOf(0, 0)]).toEqual([null, null, null]);
  });
});

describe("axisMoney", () => {
  it.each([
    [0, "0"],
    [200_000_000, "200"],
    [500_000, "0.50"],
    [1_500_000_000, "1.5k"],
    [35_000_000_000_000, "35m"],
  ])("%d micros as %s", (micros, text) => expect(axisMoney(micros)).toBe(text));
});

describe("axisPercent", () => {
  it("drops digits that say nothing", () => expect(axisPercent(750_000)).toBe("75 %"));
});
