import { describe, expect, test } from "vitest";
import { nameAmong, nameInFacility, trancheName } from "./tranche";

describe("trancheName", () => {
  test("says who is paid first and who last", () => {
    const names = [0, 1, 2, 3].map((seniority) => trancheName(seniority, 4));
    expect(names).toEqual([
      "tranche 0 (senior)",
      "tranche 1 (mezzanine)",
      "tranche 2 (mezzanine)",
      "tranche 3 (junior)",
    ]);
  });

  test("has no rank where there is nothing to rank, or nothing known", () => {
    expect(trancheName(0, 1)).toBe("tranche 0");
    expect(trancheName(1)).toBe("tranche 1");
  });
});

test("a row is named by its facility, by itself or found by its token id", () => {
  const row = { token_id: "513", facility_name: "dusk", seniority: 1, tranche_count: 2 };
  expect(nameInFacility(row)).toBe("dusk, tranche 1 (junior)");
  expect(nameAmong([row], "513")).toBe("dusk, tranche 1 (junior)");
  expect(nameAmong([row], "512")).toBeUndefined();
});
