import { Stack, Text } from "@mantine/core";
import { useService } from "../../api/service";
import { gpuHours, grouped, money, percentOfBps } from "../../format/money";
import { instant } from "../../format/time";
import { Amount } from "../../parts/Amount";
import { Figure, Figures } from "../../parts/Figure";
import type { StatementRow } from "./queries";

/** The statement in a sentence and in figures. */
export function EpochFigures({ statement, name }: { statement: StatementRow; name: string }) {
  const s = statement;
  const symbol = useService().settlement_token?.symbol ?? "";
  return (
    <Stack gap="sm">
      <Text maw={820}>
        From {instant(s.epoch_start_s)} to {instant(s.epoch_end_s)} {name} had{" "}
        {gpuHours(s.available_gpu_seconds)} GPU-hours available and billed{" "}
        {gpuHours(s.billed_gpu_seconds)}. Its {grouped(s.line_count)}{" "}
        {s.line_count === 1 ? "line adds" : "lines add"} up to {money(s.gross_revenue_micros)}{" "}
        {symbol}.
      </Text>
      <Figures cols={4}>
        <Figure
          name="Gross revenue"
          value={<Amount micros={s.gross_revenue_micros} symbol />}
          source="Sum of the charges of all lines, credits and voids taken off. From the statement."
        />
        <Figure
          name="Billed"
          value={`${gpuHours(s.billed_gpu_seconds)} h`}
          about={`of ${gpuHours(s.available_gpu_seconds)} GPU-hours available`}
          source="GPU-seconds of usage and delivery lines, shown as hours, cut. Available is capacity less outages. From the statement."
        />
        <Figure
          name="Largest renter"
          value={percentOfBps(s.top_renter_bps)}
          about="of positive charges"
          source="Share of the renter that was charged most, rounded down. From the statement; attesters recompute it."
        />
        <Figure
          name="Take-or-pay"
          value={percentOfBps(s.committed_bps)}
          about="of positive charges"
          source="Share of leases that pay for committed GPUs, used or not. From the statement; attesters recompute it."
        />
      </Figures>
    </Stack>
  );
}
