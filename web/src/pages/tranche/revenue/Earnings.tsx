import { memo } from "react";
import { useService } from "../../../api/service";
import { money, percentOfPpm } from "../../../format/money";
import { Amount } from "../../../parts/Amount";
import { ChartTable } from "../../../parts/ChartTable";
import type { ChartOf } from "../../../parts/chart";
import type { Column } from "../../../parts/DataTable";
import { Empty } from "../../../parts/Empty";
import { Loaded } from "../../../parts/Loaded";
import { Section } from "../../../parts/Section";
import { Hours, Share, startOf, whenColumns } from "./points";
import { type Point, useSeries } from "../queries";
import { axisMoney, axisPercent, shareOf } from "../shares";

const utilisationOf = (p: Point) => shareOf(p.billed_gpu_seconds, p.available_gpu_seconds);

const columns: Column<Point>[] = [
  ...whenColumns,
  { head: "Gross revenue", cell: (p) => <Amount micros={p.gross_micros} />, number: true },
  { head: "To this tranche", cell: (p) => <Amount micros={p.accrued_micros} />, number: true },
  { head: "Billed GPU-hours", cell: (p) => <Hours seconds={p.billed_gpu_seconds} />, number: true },
  { head: "Utilisation", cell: (p) => <Share ppm={utilisationOf(p)} />, number: true },
];

const utilisation: ChartOf<Point> = {
  title: "Utilisation by epoch",
  series: [{ name: "Billed of available", value: utilisationOf, shape: "line" }],
  tick: axisPercent,
  exact: percentOfPpm,
  scale: [0, 1_000_000],
  ticks: [0, 250_000, 500_000, 750_000, 1_000_000],
};

/** Revenue and utilisation by epoch. Not drawn again with every block: a long table is slow to draw. */
export const Earnings = memo(function Earnings({ tokenId }: { tokenId: string }) {
  const query = useSeries(tokenId);
  const symbol = useService().settlement_token?.symbol ?? "";
  const revenue: ChartOf<Point> = {
    title: symbol === "" ? "Revenue by epoch" : `Revenue by epoch, ${symbol}`,
    series: [
      { name: "Gross, attested", value: (p) => p.gross_micros, shape: "bar" },
      { name: "To this tranche", value: (p) => p.accrued_micros, shape: "bar" },
    ],
    tick: axisMoney,
    exact: (micros) => `${money(Math.trunc(micros))} ${symbol}`.trim(),
    // What the closing statement takes back can leave the last epoch below zero.
    scale: ["auto", "auto"],
  };
  return (
    <Section
      title="Revenue and utilisation"
      anchor="revenue"
      about="From posted statements; what the closing statement corrects is in the last epoch before it. Utilisation is billed over available GPU-seconds."
    >
      <Loaded query={query} lines={8}>
        {({ points, bucket_epochs: bucket }) =>
          points.length === 0 ? (
            <Empty title="No epoch yet">
              The first epoch appears here once its statement is posted on-chain.
            </Empty>
          ) : (
            <ChartTable
              caption={`Revenue and utilisation by ${bucket > 1 ? `${bucket} epochs` : "epoch"}`}
              charts={[revenue, utilisation]}
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
