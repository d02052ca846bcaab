import { Anchor, Skeleton } from "@mantine/core";
import type { ReactNode } from "react";
import { Link } from "react-router";
import { grouped, money } from "../../format/money";
import { useService } from "../../api/service";
import { Amount } from "../../parts/Amount";
import { Figure, Figures } from "../../parts/Figure";
import { Unknown } from "../../parts/Unknown";
import { useReconciliation } from "./queries";

/** The market in four figures, each with what it is and where it comes from. `tranches` is null if that failed. */
export function Summary({ tranches }: { tranches: number | null | undefined }) {
  const books = useReconciliation();
  const symbol = useService().settlement_token?.symbol ?? "";
  const total = books.data?.total;
  const waiting = books.isPending ? <Skeleton height={16} mt={8} width="50%" /> : <Unknown />;
  const money_ = (micros: number | undefined): ReactNode =>
    micros === undefined ? waiting : <Amount micros={micros} symbol />;
  return (
    <Figures>
      <Figure
        name="Tranches"
        value={
          typeof tranches === "number" ? (
            grouped(tranches)
          ) : tranches === undefined ? (
            <Skeleton height={16} mt={8} width="30%" />
          ) : (
            <Unknown />
          )
        }
        about="Classes of units, one unit is one GPU-hour"
        source="Each tranche is one ERC-1155 id of the token contract, with its own rank in the waterfall of its facility."
      />
      <Figure
        name="Facilities"
        value={books.data === undefined ? waiting : grouped(books.data.facilities.length)}
        about="Sets of GPUs pledged together"
        source="A facility is a set of devices of one operator, GPU class and site. Its pledge and terms are on-chain."
      />
      <Figure
        name="Attested revenue"
        value={money_(total?.attested_micros)}
        about={
          total === undefined ? undefined : (
            <>
              {money(total.collected_micros)} collected,{" "}
              {money(total.differences.receivable_micros)} still owed by renters
            </>
          )
        }
        source={`Gross revenue of all statements that attesters signed and that stand on-chain${symbol === "" ? "" : `, in ${symbol}`}. It is not yet money: rent that renters have paid is the collected part.`}
      />
      <Figure
        name="Paid to holders"
        value={money_(total?.claimed_micros)}
        about={
          total === undefined ? undefined : (
            <>
              {money(total.differences.unclaimed_micros)} more to claim.{" "}
              <Anchor component={Link} to="/audit" size="xs">
                {total.balanced ? "All figures reconcile" : "Figures do not reconcile"}
              </Anchor>
            </>
          )
        }
        source="What holders took out of the token contract by their claims, from settlements of rent and from operators' bonds. Read from the chain's events."
      />
    </Figures>
  );
}
