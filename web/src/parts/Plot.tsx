/** Drawing of a chart: the only module that loads the charting library. Without movement, so none is to be reduced. */

import "@mantine/charts/styles.css";
import { CompositeChart } from "@mantine/charts";
import type { ChartOf, Series } from "./chart";

const DASHES = [undefined, "6 4", "2 4"] as const;
/** Above this, bars are thinner than the gaps between them. */
const MOST_BARS = 120;

function shapeOf(series: Series<unknown>, points: number): Series<unknown>["shape"] {
  return series.shape === "bar" && points > MOST_BARS ? "area" : series.shape;
}

export function Plot({
  chart,
  rows,
  label,
  height,
}: {
  chart: ChartOf<unknown>;
  rows: readonly unknown[];
  label: (row: unknown) => string;
  height: number;
}) {
  const data = rows.map((row) => ({
    at: label(row),
    ...Object.fromEntries(chart.series.map((series) => [series.name, series.value(row)])),
  }));
  const ticks = chart.tick;
  return (
    <CompositeChart
      h={height}
      data={data}
      dataKey="at"
      series={chart.series.map((series, i) => {
        const dash = series.shape === "line" ? DASHES[i] : undefined;
        return {
          name: series.name,
          type: shapeOf(series, rows.length),
          color: `var(--chart-${i})`,
          ...(dash !== undefined && { strokeDasharray: dash }),
        };
      })}
      curveType="linear"
      strokeWidth={2}
      withDots={rows.length <= 31}
      dotProps={{ r: 3 }}
      connectNulls={false}
      maxBarWidth={28}
      strokeDasharray="0"
      gridColor="var(--rr-line)"
      textColor="dimmed"
      tickLine="none"
      valueFormatter={chart.exact ?? ticks}
      xAxisProps={{ minTickGap: 24 }}
      yAxisProps={{
        width: 62,
        tickFormatter: ticks,
        tickCount: 4,
        ...(chart.ticks !== undefined && { ticks: chart.ticks }),
        domain: [lowest(chart.scale?.[0] ?? 0), highest(chart.scale?.[1] ?? "auto")],
      }}
      // The whole is one picture with a name and a table; a keyboard stop inside it would have none.
      composedChartProps={{
        accessibilityLayer: false,
        margin: { top: 8, right: 12, bottom: 0, left: 0 },
      }}
    />
  );
}

/** Ends of the axis: an automatic one never leaves out zero, where bars begin. */
function lowest(end: number | "auto"): number | ((least: number) => number) {
  return end === "auto" ? (least) => Math.min(0, least) : end;
}

function highest(end: number | "auto"): number | ((most: number) => number) {
  return end === "auto" ? (most) => Math.max(0, most) : end;
}
