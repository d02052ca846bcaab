import { Link } from "react-router";
import { Anchor } from "@mantine/core";
import { grouped, money as text } from "../../../format/money";
import { Amount } from "../../../parts/Amount";
import { barsOf } from "./cascadeBars";
import classes from "../Tranche.module.css";
import type { Tranche, WaterfallMoney } from "../queries";

/** Rent in, then out in the order of payment: every bar begins where the one before it ends. */
export function Cascade({ money, tranche }: { money: WaterfallMoney; tranche: Tranche }) {
  return (
    <ol className={`surface ${classes.cascade ?? ""}`} aria-label="From rent to holder">
      {barsOf(money, (micros) => text(micros)).map((bar) => {
        const own = bar.tokenId === tranche.token_id;
        return (
          <li key={bar.name} className={classes.step} data-part={bar.part} data-own={own}>
            <span>
              {bar.tokenId !== null && !own ? (
                <Anchor component={Link} to={`/tranches/${bar.tokenId}`} inherit>
                  {bar.name}
                </Anchor>
              ) : (
                bar.name
              )}
              {own && tranche.units_issued !== null
                ? `, to ${grouped(tranche.units_issued)} units`
                : ""}
            </span>
            <span className={classes.track} aria-hidden>
              {bar.micros > 0 && (
                <span
                  className={classes.bar}
                  data-kind={bar.kind}
                  style={{
                    display: "block",
                    marginLeft: `${bar.from}%`,
                    width: `${bar.width}%`,
                    opacity: bar.kind === "tranche" && !own ? 0.55 : 1,
                  }}
                />
              )}
            </span>
            <span className={classes.value}>
              <Amount micros={bar.micros} symbol />
            </span>
            {bar.note !== null && <span className={classes.note}>{bar.note}</span>}
          </li>
        );
      })}
    </ol>
  );
}
