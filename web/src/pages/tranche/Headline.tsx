import { grouped, percentOfPpm } from "../../format/money";
import { sentenceCase } from "../../format/text";
import { Amount } from "../../parts/Amount";
import { Figure, Figures } from "../../parts/Figure";
import { Unknown } from "../../parts/Unknown";
import { rankOf } from "./rank";
import type { Tranche } from "./queries";

/** What most people ask first. */
export function Headline({ tranche }: { tranche: Tranche }) {
  const { sale } = tranche;
  return (
    <Figures cols={3}>
      <Figure
        name="Price of a unit"
        value={<Amount micros={tranche.price_micros} symbol />}
        about={sale === null ? "No primary sale" : SALE[sale.state]}
        source="Price of one unit in the primary sale, from the sale contract. Units are transferable; this is no market price."
      />
      <Figure
        name="Coupon per unit"
        value={
          tranche.coupon_micros_per_unit > 0 ? (
            <Amount micros={tranche.coupon_micros_per_unit} symbol />
          ) : (
            "Remainder"
          )
        }
        about={sentenceCase(rankOf(tranche.seniority, tranche.siblings.length))}
        source={
          tranche.coupon_micros_per_unit > 0
            ? "What one unit is to earn over the whole window before tranches paid later get anything. It falls due epoch by epoch and is paid only from rent collected. From the facility's terms on-chain."
            : "No coupon: this tranche gets what is left after fees and the coupons of tranches paid earlier. From the facility's terms on-chain."
        }
      />
      <Figure
        name="Paid per unit to date"
        value={<Amount micros={tranche.paid_per_unit_micros} digits={4} symbol />}
        about="Cut, never rounded up"
        source="Revenue that reached one unit from the beginning, with what still streams to it. From settlements on-chain."
      />
      <Figure
        name="Units left"
        value={tranche.units_left === null ? <Unknown /> : grouped(tranche.units_left)}
        about={
          tranche.units_issued === null
            ? `of ${grouped(tranche.unit_cap)}`
            : `${grouped(tranche.units_issued)} of ${grouped(tranche.unit_cap)} issued`
        }
        source="Units that the primary sale still has; blank while no sale is open. One unit is one GPU-hour. From the token and sale contracts."
      />
      <Figure
        name="Utilisation"
        value={
          tranche.utilisation_ppm === null ? <Unknown /> : percentOfPpm(tranche.utilisation_ppm)
        }
        about={
          tranche.utilisation_ppm === null
            ? "Known once a statement is posted"
            : "Billed of available time"
        }
        source="Billed over available GPU-seconds of all statements that stand on-chain."
      />
      <Figure
        name="Availability"
        value={
          tranche.availability_ppm === null ? <Unknown /> : percentOfPpm(tranche.availability_ppm)
        }
        about={`${percentOfPpm(tranche.terms.promised_availability_ppm)} promised`}
        source="Available over pledged GPU-seconds of epochs with a posted statement, as attesters signed it."
      />
    </Figures>
  );
}

const SALE: Record<string, string> = {
  scheduled: "The sale has not opened",
  open: "The sale is open",
  closed: "The sale is over, not yet ended on-chain",
  successful: "The sale ended, its floor was reached",
  refunding: "The sale missed its floor, buyers are refunded",
};
