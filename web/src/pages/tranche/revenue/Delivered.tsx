import { memo } from "react";
import { gpuHours } from "../../../format/money";
import { ChartTable } from "../../../parts/ChartTable";
import type { ChartOf } from "../../../parts/chart";
import type { Column } from "../../../parts/DataTable";
import { Empty } from "../../../parts/Empty";
import { Loaded } from "../../../parts/Loaded";
import { Section } from "../../../parts/Section";
import { Unknown } from "../../../parts/Unknown";
import { Hours, startOf, whenColumns } from "./points";
import { type Point, useSeries } from "../queries";

/** Available less promised, GPU-seconds. */
const surplusOf = (p: Point): number | null =>
  p.available_gpu_seconds === null ? null : p.available_gpu_seconds - p.promised_gpu_seconds;

const columns: Column<Point>[] = [
  ...whenColumns,
  {
    head: "Promised GPU-hours",
    cell: (p) => <Hours seconds={p.promised_gpu_seconds} />,
    number: true,
  },
  {
    head: "Available GPU-hours",
    cell: (p) => <Hours seconds={p.available_gpu_seconds} />,
    number: true,
  },
  { head: "Over or short", cell: (p) => <Surplus seconds={surplusOf(p)} />, number: true },
];

function Surplus({ seconds }: { seconds: number | null }) {
  if (seconds === null) return <Unknown />;
  if (seconds >= 0) return <>{seconds > 0 ? `+${gpuHours(seconds)}` : "0.00"}</>;
  return <span style={{ color: "var(--rr-bad)" }}>{gpuHours(-seconds)} short</span>;
}

/** GPU-hours for the axis, so that round figures stand on it. */
const hours = (gpuSeconds: number | null) => (gpuSeconds === null ? null : gpuSeconds / 3_600);
const exact = (value: number) => `${gpuHours(Math.round(value * 3_600))} GPU-hours`;

const charts: ChartOf<Point>[] = [
  {
    title: "GPU-hours by epoch",
    series: [
      { name: "Available, attested", value: (p) => hours(p.available_gpu_seconds), shape: "bar" },
      { name: "Promised", value: (p) => hours(p.promised_gpu_seconds), shape: "line" },
    ],
    tick: (value) => String(Math.round(value)),
    exact,
  },
  {
    title: "Over or short of the promise, GPU-hours",
    series: [{ name: "Available less promised", value: (p) => hours(surplusOf(p)), shape: "bar" }],
    tick: (value) => String(Math.round(value * 100) / 100).replace("-", "−"),
    exact,
    scale: ["auto", "auto"],
  },
];

/** Promised against delivered, by epoch. Not drawn again with every block: a long table is slow to draw. */
export const Delivered = memo(function Delivered({ tokenId }: { tokenId: string }) {
  const query = useSeries(tokenId);
  return (
    <Section
      title="Promised against delivered"
      anchor="delivered"
      about="What the terms promise of every epoch, and what attested statements say was available. What is missing in all is claimed at the closing, from bond and unearned proceeds."
    >
      <Loaded query={query} lines={8}>
        {({ points }) =>
          points.length === 0 ? (
            <Empty title="Nothing delivered yet">
              Delivery is measured from the first epoch of the window on.
            </Empty>
          ) : (
            <ChartTable
              caption="Promised against delivered by epoch"
              charts={charts}
              rows={points}
              rowKey={(p) => p.first_epoch}
              label={startOf}
              columns={columns}
            />
          )
        }
      </Loaded>
    </Section>
  );
});
