/** Columns and cells that tables over time share. */

import type { Column } from "../../../parts/DataTable";
import { Unknown } from "../../../parts/Unknown";
import { gpuHours, percentOfPpm } from "../../../format/money";
import { date, instant } from "../../../format/time";
import type { Point } from "../queries";

/** What a point stands for: one epoch, or a run of them where there are more than a chart can show. */
function epochsOf(point: Point): string {
  return point.first_epoch === point.last_epoch
    ? `${point.first_epoch}`
    : `${point.first_epoch}–${point.last_epoch}`;
}

export const whenColumns: readonly Column<Point>[] = [
  { head: "Epoch", cell: epochsOf, rowHead: true },
  {
    head: "From",
    cell: (point) => (
      <time title={instant(point.start_s)} style={{ whiteSpace: "nowrap" }}>
        {date(point.start_s)}
      </time>
    ),
  },
];

/** Start of a point on the horizontal axis. */
export const startOf = (point: Point): string => date(point.start_s);

export function Hours({ seconds }: { seconds: number | null }) {
  return seconds === null ? <Unknown /> : <>{gpuHours(seconds)}</>;
}

export function Share({ ppm }: { ppm: number | null }) {
  return ppm === null ? <Unknown /> : <>{percentOfPpm(ppm)}</>;
}
