import { Stack, Text } from "@mantine/core";
import { useService } from "../../api/service";
import { gpuHours, grouped, money, percentOfBps } from "../../format/money";
import { instant } from "../../format/time";
import { Amount } from "../../parts/Amount";
import { Figure, Figures } from "../../parts/Figure";
import type { StatementRow } from "./queries";

/** What a statement says, in a sentence or two. */
export function statementSentence(s: StatementRow, name: string, symbol: string): string {
  const total = `${grouped(s.line_count)} ${s.line_count === 1 ? "line adds" : "lines add"} up to ${money(s.gross_revenue_micros)} ${symbol}`;
  const [from, to] = [instant(s.epoch_start_s), instant(s.epoch_end_s)];
  return s.closing
    ? `Behind its last epoch ${name} states what came late, from ${from} to ${to}: late usage and outages, voids and differences of earlier epochs. Its ${total.trim()}.`
    : `From ${from} to ${to} ${name} had ${gpuHours(s.available_gpu_seconds)} GPU-hours available and billed ${gpuHours(s.billed_gpu_seconds)}. Its ${total.trim()}.`;
}

/** How much of a statement rests on signed entries alone: the smaller share of money and time. */
function signedShare(s: StatementRow): string {
  const of = (part: number, whole: number) =>
    whole === 0 ? 10_000 : Number((BigInt(part) * 10_000n) / BigInt(whole));
  const shares = [
    of(s.signed_charge_micros, s.absolute_charge_micros),
    of(s.signed_gpu_seconds, s.billed_gpu_seconds),
  ];
  return s.absolute_charge_micros === 0 && s.billed_gpu_seconds === 0
    ? "nothing billed"
    : percentOfBps(Math.min(...shares));
}

/** The statement in a sentence and in figures. */
export function EpochFigures({ statement, name }: { statement: StatementRow; name: string }) {
  const s = statement;
  const symbol = useService().settlement_token?.symbol ?? "";
  return (
    <Stack gap="sm">
      <Text maw={820}>{statementSentence(s, name, symbol)}</Text>
      <Figures cols={5}>
        <Figure
          name="Gross revenue"
          value={<Amount micros={s.gross_revenue_micros} symbol />}
          {...(s.gross_revenue_micros < 0 && { about: "given back, on balance" })}
          source="Sum of the charges of all lines, credits and voids taken off. From the statement."
        />
        {s.closing ? (
          <Figure
            name="Availability corrected"
            value={`${gpuHours(s.available_adjustment)} h`}
            about="of earlier epochs"
            source="GPU-seconds of earlier epochs that turned out to have been available, less those that turned out not to, shown as hours, cut. From the statement."
          />
        ) : (
          <Figure
            name="Billed"
            value={`${gpuHours(s.billed_gpu_seconds)} h`}
            about={`of ${gpuHours(s.available_gpu_seconds)} GPU-hours available`}
            source="GPU-seconds of usage and delivery lines, shown as hours, cut. Available is a device while it is used, delivered or seen, and not out of service; where the facility counts silence as available, capacity less outages. From the statement."
          />
        )}
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
        <Figure
          name="Signed"
          value={signedShare(s)}
          about="of charges and of GPU-seconds"
          source="The smaller of two shares, rounded down: of the charges without their signs, and of the billed GPU-seconds, those of leases of which every entry was signed by a key of the operator or of a collector. What is not signed, the operator's API key or session stands for. From the manifest; attesters recompute it."
        />
      </Figures>
    </Stack>
  );
}
