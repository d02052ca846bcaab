import { describe, expect, it } from "vitest";
import { summaryOf, thinned } from "./ChartTable";
import type { ChartOf } from "./chart";

interface Row {
  day: string;
  gross: number | null;
}

const chart: ChartOf<Row> = {
  title: "Revenue",
  series: [{ name: "Gross", value: (row) => row.gross, shape: "bar" }],
  tick: (value) => `$${value}`,
};

describe("summaryOf", () => {
  it("says the extremes, the last known value and the span", () => {
    const rows = [
      { day: "1 May", gross: 7 },
      { day: "2 May", gross: 3 },
      { day: "3 May", gross: 5 },
      { day: "4 May", gross: null },
    ];

    expect(summaryOf(chart, rows, (row) => row.day)).toBe(
      "Chart: Revenue, 1 May to 4 May. Gross: lowest $3, highest $7, last $5. The table below has every figure.",
    );
  });

  it("says that nothing is known instead of zero", () => {
    expect(summaryOf(chart, [{ day: "1 May", gross: null }], (row) => row.day)).toContain(
      "Gross: nothing known",
    );
  });
});

describe("thinned", () => {
  it("keeps the first and the last of at most so many", () => {
    const rows = Array.from({ length: 8_760 }, (_, i) => i);

    const kept = thinned(rows);

    expect(kept).toHaveLength(400);
    expect([kept[0], kept.at(-1)]).toEqual([0, 8_759]);
    expect(new Set(kept).size).toBe(400);
  });

  it("leaves short ones alone", () => {
    const rows = [1, 2, 3];
    expect(thinned(rows)).toBe(rows);
  });
});
