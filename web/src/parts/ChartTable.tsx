import { Button, Group, SimpleGrid, Skeleton, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { Suspense, lazy } from "react";
import classes from "./ChartTable.module.css";
import type { ChartOf, Series } from "./chart";
import { type Column, DataTable } from "./DataTable";

/** A line says as much with 400 points as with 8,760, and the page stays quick. */
export const MOST_POINTS = 400;
/** Longer tables scroll in a frame until opened. */
const SHORT_ROWS = 8;

// A tenth of a megabyte: never part of the first load.
const Plot = lazy(async () => ({ default: (await import("./Plot")).Plot }));

/** What a chart says, in one sentence for those who do not see it. */
export function summaryOf<T>(chart: ChartOf<T>, rows: readonly T[], label: (row: T) => string) {
  const show = chart.exact ?? chart.tick;
  const parts = chart.series.map((series) => {
    const known = rows.flatMap((row) => {
      const value = series.value(row);
      return value === null ? [] : [value];
    });
    const last = known.at(-1);
    if (last === undefined) return `${series.name}: nothing known`;
    return `${series.name}: lowest ${show(Math.min(...known))}, highest ${show(Math.max(...known))}, last ${show(last)}`;
  });
  const first = rows[0];
  const end = rows.at(-1);
  const span = first === undefined || end === undefined ? "" : `, ${label(first)} to ${label(end)}`;
  return `Chart: ${chart.title}${span}. ${parts.join(". ")}. The table below has every figure.`;
}

/** At most `most` rows, evenly taken, with the first and the last. */
export function thinned<T>(rows: readonly T[], most: number = MOST_POINTS): readonly T[] {
  if (rows.length <= most) return rows;
  const step = (rows.length - 1) / (most - 1);
  return Array.from({ length: most }, (_, i) => rows[Math.round(i * step)] as T);
}

/**
 * Charts side by side, followed by the table of the same rows: nothing is said by a picture alone. Long tables scroll
 * in a frame and open on demand; every row is there for screen readers either way.
 */
export function ChartTable<T>({
  caption,
  charts,
  rows,
  rowKey,
  label,
  columns,
  height = 200,
}: {
  /** Names the table, and the charts together. */
  caption: string;
  charts: readonly ChartOf<T>[];
  /** In order of time. */
  rows: readonly T[];
  rowKey: (row: T) => string | number;
  /** Where a row stands on the horizontal axis, such as its date. */
  label: (row: T) => string;
  columns: readonly Column<T>[];
  height?: number;
}) {
  const [opened, { toggle }] = useDisclosure(false);
  const long = rows.length > SHORT_ROWS;
  const points = thinned(rows);
  return (
    <Stack gap="sm" miw={0}>
      <SimpleGrid cols={{ base: 1, md: Math.min(2, charts.length) }} spacing="sm">
        {charts.map((chart) => (
          <figure key={chart.title} className={`surface ${classes.figure ?? ""}`}>
            <Group component="figcaption" justify="space-between" gap={4} mb="xs">
              <Text span size="sm" fw={600}>
                {chart.title}
              </Text>
              {chart.series.length > 1 && <Legend names={chart.series} />}
            </Group>
            <div role="img" aria-label={summaryOf(chart, rows, label)} className={classes.plot}>
              <Suspense fallback={<Skeleton height={height} />}>
                <Plot
                  height={height}
                  chart={chart as ChartOf<unknown>}
                  rows={points}
                  label={label as (row: unknown) => string}
                />
              </Suspense>
            </div>
          </figure>
        ))}
      </SimpleGrid>
      <div className={long && !opened ? classes.short : undefined}>
        <DataTable caption={caption} columns={columns} rows={rows} rowKey={rowKey} />
      </div>
      {long && (
        <Group>
          <Button size="compact-sm" variant="default" onClick={toggle} aria-expanded={opened}>
            {opened ? "Shorten the table" : `Open all ${rows.length} rows`}
          </Button>
        </Group>
      )}
    </Stack>
  );
}

function Legend<T>({ names }: { names: readonly Series<T>[] }) {
  return (
    <Group gap="md">
      {names.map((series, i) => (
        <Group key={series.name} gap={6} wrap="nowrap">
          <span className={classes.key} data-shape={series.shape} data-place={i} aria-hidden />
          <Text span size="xs" c="dimmed">
            {series.name}
          </Text>
        </Group>
      ))}
    </Group>
  );
}
