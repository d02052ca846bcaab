import { Link } from "react-router";
import { grouped, money } from "../../format/money";
import { sentenceCase } from "../../format/text";
import { trancheName } from "../../format/tranche";
import classes from "./Tranche.module.css";
import { rankOf } from "./rank";
import type { Tranche } from "./queries";

/** The tranches of the same facility, in the order in which they are paid. */
export function Siblings({ tranche }: { tranche: Tranche }) {
  const { siblings } = tranche;
  if (siblings.length < 2) return null;
  return (
    <nav aria-label="Tranches of this facility">
      <ul className={classes.siblings}>
        {siblings.map((sibling) => (
          <li key={sibling.token_id}>
            <Link
              to={`/tranches/${sibling.token_id}`}
              className={classes.sibling}
              aria-current={sibling.token_id === tranche.token_id ? "page" : undefined}
            >
              {sentenceCase(trancheName(sibling.seniority, siblings.length))},{" "}
              {rankOf(sibling.seniority, siblings.length)}
              <small className="figures">
                {grouped(sibling.unit_cap)} units,{" "}
                {sibling.coupon_micros_per_unit > 0
                  ? `coupon ${money(sibling.coupon_micros_per_unit)}`
                  : "takes the remainder"}
                {sibling.arrears_micros !== null && sibling.arrears_micros > 0
                  ? `, ${money(sibling.arrears_micros)} behind`
                  : ""}
              </small>
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}
