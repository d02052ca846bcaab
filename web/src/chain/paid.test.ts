import { describe, expect, it } from "vitest";
import { paidOf } from "./paid";

describe("paidOf", () => {
  it.each<[bigint, bigint]>([
    // Epochs of 100, 60 and 40: the second begins at 100 and ends at 160.
    [0n, 0n],
    [100n, 0n],
    [101n, 1n],
    [159n, 59n],
    [160n, 60n],
    [200n, 60n],
  ])("of the second epoch with %s settled is %s", (settled, paid) => {
    expect(paidOf(settled, 160n, 60n)).toBe(paid);
  });

  it("shares what is settled between epochs without rest", () => {
    const epochs: [bigint, bigint][] = [
      [100n, 100n],
      [160n, 60n],
      [200n, 40n],
    ];
    for (let settled = 0n; settled <= 200n; settled += 7n) {
      const parts = epochs.map(([cumulative, gross]) => paidOf(settled, cumulative, gross));
      expect(parts.reduce((sum, part) => sum + part)).toBe(settled);
    }
  });
});
