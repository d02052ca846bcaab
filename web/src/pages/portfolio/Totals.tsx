import { Stack } from "@mantine/core";
import type { Address } from "viem";
import { grouped } from "../../format/money";
import { duration } from "../../format/time";
import { Amount } from "../../parts/Amount";
import { Figure, Figures } from "../../parts/Figure";
import { ClaimAll } from "./ClaimAll";
import type { Live, PortfolioData } from "./queries";

/** Sum of a figure over positions, by the chain if it was read, else by the index. */
function total(
  data: PortfolioData,
  live: Live | undefined,
  figure: "claimable" | "streaming",
): bigint {
  return data.positions.reduce((sum, row) => {
    const now = live?.positions.get(row.token_id)?.[`${figure}Micros`];
    return sum + (now ?? BigInt(row[`${figure}_micros`]));
  }, 0n);
}

/** Revenue of all positions together, and the button that takes it. */
export function Totals({
  data,
  live,
  own,
  account,
}: {
  data: PortfolioData;
  live: Live | undefined;
  own: boolean;
  account: Address;
}) {
  const claimable = total(data, live, "claimable");
  const behind = live !== undefined && data.as_of !== null ? live.timeS - data.as_of.time_s : null;
  return (
    <Stack gap="md">
      <Figures>
        <Figure
          name="Claimable now"
          value={<Amount micros={claimable} digits={6} symbol />}
          source="Revenue earned and not taken, over all positions: what a claim would pay now. Read from the tranche token at the chain's newest block."
          about={
            live === undefined ? "As of the newest indexed block" : `Block ${live.block.toString()}`
          }
        />
        <Figure
          name="Still streaming"
          value={<Amount micros={total(data, live, "streaming")} digits={6} symbol />}
          source="Revenue that arrived and vests over the following epoch, in proportion to the units held. Selling the units before then gives up what has not vested."
        />
        <Figure
          name="Claimed to date"
          value={<Amount micros={data.total.claimed_micros} symbol />}
          source="Revenue taken so far, over all tranches, from indexed claims."
          about={
            behind !== null && behind > 60
              ? `Index is ${duration(behind)} behind the chain`
              : undefined
          }
        />
        <Figure
          name="Units held"
          value={grouped(
            data.positions.reduce(
              (sum, row) => sum + (live?.positions.get(row.token_id)?.units ?? BigInt(row.units)),
              0n,
            ),
          )}
          source="One unit is one GPU-hour of a tranche."
        />
      </Figures>
      {own && <ClaimAll account={account} data={data} live={live} claimable={claimable} />}
    </Stack>
  );
}
