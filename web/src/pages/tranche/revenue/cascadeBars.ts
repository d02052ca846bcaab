/** Geometry of the cascade: where each step's bar stands on a common scale. */

import { sentenceCase } from "../../../format/text";
import { trancheName } from "../../../format/tranche";
import type { WaterfallMoney } from "../queries";

export interface Bar {
  name: string;
  kind: "rent" | "other" | "fee" | "tranche";
  part: "in" | "out";
  micros: number;
  /** Percent of the width. */
  from: number;
  width: number;
  note: string | null;
  tokenId: string | null;
}

type Known = number | null;

const or0 = (micros: Known): number => micros ?? 0;

/**
 * Bars of what came in, each from zero, then of what went out, each where the one before ends: the last ends where the
 * money does.
 */
export function barsOf(money: WaterfallMoney, show: (micros: number) => string): Bar[] {
  const recovered = or0(money.recovered_micros) + or0(money.recovered_by_vouchers_micros);
  const incoming = or0(money.settled_micros) + recovered;
  const widest = Math.max(or0(money.attested_micros), or0(money.collected_micros), incoming, 1);
  const percent = (micros: number) => (micros / widest) * 100;
  const bars: Bar[] = [];
  const into = (
    name: string,
    kind: Bar["kind"],
    micros: Known,
    from = 0,
    note: string | null = null,
  ) => {
    if (micros === null) return;
    bars.push({
      name,
      kind,
      part: "in",
      micros,
      from: percent(from),
      width: percent(micros),
      note,
      tokenId: null,
    });
  };
  const owed = or0(money.receivable_micros);
  const prepaid = or0(money.prepaid_micros);
  into("Attested", "rent", money.attested_micros);
  into(
    "Collected",
    "rent",
    money.collected_micros,
    0,
    owed > 0
      ? `${show(owed)} attested and not paid by renters yet`
      : prepaid > 0
        ? `${show(prepaid)} paid ahead of what is attested`
        : null,
  );
  const advanced = or0(money.advanced_micros);
  into(
    "Settled",
    "rent",
    money.settled_micros,
    0,
    advanced > 0 ? `${show(advanced)} of it paid by the bond in place of renters` : null,
  );
  if (recovered > 0) {
    into(
      "From bond and sale",
      "other",
      recovered,
      or0(money.settled_micros),
      "For missing hours, at the closing and from late rent",
    );
  }
  return [...bars, ...outgoing(money, percent, show)];
}

/** What went out, each bar where the one before ends. */
function outgoing(
  money: WaterfallMoney,
  percent: (micros: number) => number,
  show: (micros: number) => string,
): Bar[] {
  const bars: Bar[] = [];
  let at = 0;
  const out = (
    name: string,
    kind: Bar["kind"],
    micros: number,
    note: string | null,
    tokenId: string | null,
  ) => {
    bars.push({
      name,
      kind,
      part: "out",
      micros,
      from: percent(at),
      width: percent(micros),
      note,
      tokenId,
    });
    at += micros;
  };
  if (money.fees_micros !== null) out("Fees", "fee", money.fees_micros, null, null);
  for (const step of money.steps) {
    const behind = or0(step.arrears_micros);
    out(
      sentenceCase(trancheName(step.seniority, money.steps.length)),
      "tranche",
      or0(step.paid_micros),
      behind > 0 ? `${show(behind)} of its coupon in arrears` : null,
      step.token_id,
    );
  }
  if (or0(money.recovered_by_vouchers_micros) > 0) {
    out(
      "Vouchers",
      "other",
      or0(money.recovered_by_vouchers_micros),
      "For compute that was not served",
      null,
    );
  }
  if (or0(money.owed_to_operator_micros) > 0) {
    out(
      "To the operator",
      "other",
      or0(money.owed_to_operator_micros),
      "Fell on unsold units or on nobody",
      null,
    );
  }
  return bars;
}
