/** The form that opens a sale, as terms that the contract takes. */

import { parseMoney, parseUnits } from "../../../format/money";
import { bpsOfPercent, utcInput, utcSeconds } from "../forms/numbers";
import type { FieldErrors } from "./offerForm";

// SaleCheckout.sol: all units at their prices stay below this.
const MAX_PROCEEDS = 1n << 54n;

export interface SaleFields {
  opensAt: string;
  closesAt: string;
  floor: string;
  upFront: string;
  prices: string[];
}

export interface SaleTerms {
  opensAt: bigint;
  closesAt: bigint;
  floorUnits: number;
  upFrontBps: number;
  unitPrices: bigint[];
}

/** Open at once until an hour before the window; half of the units as floor; a fifth up front. */
export function saleDefaults(
  nowS: number,
  windowStartS: number,
  caps: readonly bigint[],
): SaleFields {
  const units = caps.reduce((sum, cap) => sum + cap, 0n);
  const last = windowStartS - 3_600;
  return {
    opensAt: utcInput(Math.floor(nowS / 60) * 60),
    closesAt: utcInput(last > nowS + 3_600 ? last : windowStartS),
    floor: String(units / 2n),
    upFront: "20",
    prices: caps.map(() => ""),
  };
}

/** Terms of a sale, or what is wrong by field. The contract checks the same. */
export function saleTerms(
  fields: SaleFields,
  nowS: number,
  windowStartS: number,
  caps: readonly bigint[],
): { terms: SaleTerms; errors: null } | { terms: null; errors: FieldErrors } {
  const errors: FieldErrors = {};
  const opens = utcSeconds(fields.opensAt);
  const closes = utcSeconds(fields.closesAt);
  if (opens === null) errors["opensAt"] = "Choose a day and a time.";
  if (closes === null) errors["closesAt"] = "Choose a day and a time.";
  else if (closes > windowStartS) errors["closesAt"] = "At the latest when the window begins.";
  else if (closes <= nowS || (opens !== null && closes <= opens))
    errors["closesAt"] = "After now, and after it opens.";
  const units = caps.reduce((sum, cap) => sum + cap, 0n);
  const floor = parseUnits(fields.floor);
  if (floor === null || floor > units) errors["floor"] = `0 to ${units} units.`;
  const upFront = bpsOfPercent(fields.upFront);
  if (upFront === null) errors["upFront"] = "0 to 100 percent, at most 2 decimals.";
  let total = 0n;
  const unitPrices = caps.map((cap, i) => {
    const price = parseMoney(fields.prices[i] ?? "");
    if (price === null || price === 0n) errors[`prices.${i}`] = "An amount above zero.";
    total += cap * (price ?? 0n);
    return price ?? 0n;
  });
  if (total >= MAX_PROCEEDS) errors["prices.0"] ??= "All units together cost too much.";
  if (Object.keys(errors).length > 0 || opens === null || closes === null)
    return { terms: null, errors };
  return {
    errors: null,
    terms: {
      opensAt: BigInt(opens),
      closesAt: BigInt(closes),
      floorUnits: Number(floor ?? 0n),
      upFrontBps: upFront ?? 0,
      unitPrices,
    },
  };
}
