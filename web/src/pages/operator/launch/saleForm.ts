/** The form that opens a sale, as terms that the contract takes. */

import { exactMoney, money, parseMoney } from "../../../format/money";
import type { ChainFacts } from "../chainFacts";
import { bpsOfPercent, utcInput, utcSeconds } from "../forms/numbers";
import type { FieldErrors } from "./offerForm";

// SaleBounds.sol: all units at their prices stay below this.
const MAX_PROCEEDS = 1n << 54n;
const BPS = 10_000n;

export interface SaleFields {
  opensAt: string;
  closesAt: string;
  /** Money; empty is what we propose. */
  floor: string;
  upFront: string;
  prices: string[];
}

export interface SaleTerms {
  opensAt: bigint;
  closesAt: bigint;
  floorProceeds: bigint;
  upFrontBps: number;
  unitPrices: bigint[];
}

/** What a sale has to fit: the offer and the bond that are on-chain. */
export type SoldOffer = Pick<
  ChainFacts,
  "windowStartS" | "expiresAtS" | "promisedGpuSeconds" | "tranches" | "bondTerms"
>;

/** Open at once until an hour before the window; a fifth up front; the floor follows the prices. */
export function saleDefaults(nowS: number, offer: SoldOffer): SaleFields {
  const last = offer.windowStartS - 3_600;
  return {
    opensAt: utcInput(Math.floor(nowS / 60) * 60),
    closesAt: utcInput(last > nowS + 3_600 ? last : offer.windowStartS),
    floor: "",
    upFront: "20",
    prices: offer.tranches.map(() => ""),
  };
}

/** Price of all units; null while a price is missing. */
export function allAtTheirPrices(fields: SaleFields, offer: SoldOffer): bigint | null {
  let total = 0n;
  for (const [i, tranche] of offer.tranches.entries()) {
    const price = parseMoney(fields.prices[i] ?? "");
    if (price === null) return null;
    total += tranche.capUnits * price;
  }
  return total;
}

/** The floor that we propose: half of everything at its price. */
export function proposedFloor(total: bigint): bigint {
  return total / 2n;
}

/** What is wrong with the price of a tranche; null if nothing is. */
function problemWithPrice(price: bigint | null, rank: number, offer: SoldOffer): string | null {
  if (price === null || price === 0n) return "An amount above zero.";
  const last = rank === offer.tranches.length - 1;
  const coupon = offer.tranches[rank]?.couponPerUnitMicros ?? 0n;
  if (!last && price > coupon)
    return `A unit is paid its coupon of ${exactMoney(coupon)} and never more: whoever pays this loses for certain.`;
  return null;
}

/** Why the promise does not carry the prices; null if it does. */
function problemWithPromise(total: bigint, upFrontBps: number, offer: SoldOffer): string | null {
  if (offer.promisedGpuSeconds === 0n)
    return "The offer promises no availability, so delivery could earn nothing: it cannot be sold.";
  const toEarn = total - (total * BigInt(upFrontBps)) / BPS;
  const worth = offer.promisedGpuSeconds * (offer.bondTerms?.rateMicrosPerGpuHour ?? 0n);
  if (worth >= toEarn * 3_600n) return null;
  return `All promised hours at the bond's rate are worth ${money(worth / 3_600n)}, less than the ${money(toEarn)} that delivery has to earn. Ask for less, or offer anew with a higher rate.`;
}

/** Terms of a sale, or what is wrong by field; `promise` is of the whole. The contract checks the same. */
export function saleTerms(
  fields: SaleFields,
  nowS: number,
  offer: SoldOffer,
): { terms: SaleTerms; errors: null } | { terms: null; errors: FieldErrors } {
  const errors: FieldErrors = {};
  const opens = utcSeconds(fields.opensAt);
  const closes = utcSeconds(fields.closesAt);
  if (opens === null) errors["opensAt"] = "Choose a day and a time.";
  if (closes === null) errors["closesAt"] = "Choose a day and a time.";
  else if (closes > offer.windowStartS)
    errors["closesAt"] = "At the latest when the window begins.";
  else if (closes >= offer.expiresAtS) errors["closesAt"] = "Before the offer expires.";
  else if (closes <= nowS || (opens !== null && closes <= opens))
    errors["closesAt"] = "After now, and after it opens.";
  const upFront = bpsOfPercent(fields.upFront);
  if (upFront === null) errors["upFront"] = "0 to 100 percent, at most 2 decimals.";
  const unitPrices = offer.tranches.map((_, i) => {
    const price = parseMoney(fields.prices[i] ?? "");
    const problem = problemWithPrice(price, i, offer);
    if (problem !== null) errors[`prices.${i}`] = problem;
    return price ?? 0n;
  });
  const total = allAtTheirPrices(fields, offer) ?? 0n;
  if (total >= MAX_PROCEEDS) errors["prices.0"] ??= "All units together cost too much.";
  const empty = fields.floor.trim() === "";
  const floor = empty ? proposedFloor(total) : parseMoney(fields.floor);
  if (floor === null) errors["floor"] = "An amount with at most 6 decimals.";
  else if (floor > total) errors["floor"] = "More than all units at their prices.";
  const promise = upFront === null ? null : problemWithPromise(total, upFront, offer);
  if (total > 0n && promise !== null) errors["promise"] = promise;
  if (Object.keys(errors).length > 0 || opens === null || closes === null || floor === null)
    return { terms: null, errors };
  return {
    errors: null,
    terms: {
      opensAt: BigInt(opens),
      closesAt: BigInt(closes),
      floorProceeds: floor,
      upFrontBps: upFront ?? 0,
      unitPrices,
    },
  };
}
