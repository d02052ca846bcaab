/** What comes back of a purchase: the most, from when a buyer is even, the schedule, and what a default does. */

import type { TrancheTerms } from "../../../chain/facts/registry";
import { exactMoney, money } from "../../../format/money";

const BPS = 10_000n;
const SECONDS_PER_HOUR = 3_600n;

/** Terms of the deal that a unit is part of, all at one block. */
export interface Deal {
  priceMicros: bigint;
  /** Place of the tranche among `tranches`, most senior first. */
  rank: number;
  tranches: readonly TrancheTerms[];
  feeBps: number;
  upFrontBps: number;
  windowStartS: number;
  epochLengthS: number;
  epochs: number;
  /** Available GPU-seconds promised of the whole window. */
  promisedGpuSeconds: bigint;
  bondMicros: bigint;
  /** What a missing GPU-hour costs the operator. */
  rateMicros: bigint;
}

const ceilDiv = (a: bigint, b: bigint): bigint => (a + b - 1n) / b;

/** Coupon of a unit, which is all that it is ever paid; null in the last tranche, which takes what is left. */
export function couponOf({ rank, tranches }: Deal): bigint | null {
  return rank === tranches.length - 1 ? null : (tranches[rank]?.couponPerUnitMicros ?? 0n);
}

/** What a unit loses for certain: the part of its price above its coupon; 0 where nothing is. */
export function certainLossOf(deal: Deal): bigint {
  const coupon = couponOf(deal);
  return coupon === null || deal.priceMicros <= coupon ? 0n : deal.priceMicros - coupon;
}

/** Coupon that is due of a unit after so many epochs, rounded down. As Waterfall.couponDueDown. */
function dueAfter(deal: Deal, coupon: bigint, epochs: number): bigint {
  return (coupon * BigInt(epochs)) / BigInt(deal.epochs);
}

const endOf = (deal: Deal, epochs: number): number =>
  deal.windowStartS + epochs * deal.epochLengthS;

/** Epochs whose coupon has to be paid until the price is back; null without a coupon, or if it never is. */
export function evenAfter(deal: Deal): { epochs: number; endS: number } | null {
  const coupon = couponOf(deal);
  if (coupon === null || deal.priceMicros > coupon) return null;
  const epochs = Number(ceilDiv(deal.priceMicros * BigInt(deal.epochs), coupon));
  return { epochs, endS: endOf(deal, epochs) };
}

/**
 * Rent of the whole window, fee included and rounded up, with which the price of a unit of the last tranche is back: the
 * coupons of all units before it, and its price for each unit under its cap, bought or not. Null of a tranche with a
 * coupon, and without a promised hour to count it by.
 */
export function rentToBeEven(deal: Deal): { micros: bigint; perHourMicros: bigint } | null {
  const own = deal.tranches[deal.rank];
  if (own === undefined || couponOf(deal) !== null || deal.promisedGpuSeconds === 0n) return null;
  const before = deal.tranches
    .slice(0, deal.rank)
    .reduce((sum, t) => sum + t.unitCap * t.couponPerUnitMicros, 0n);
  const net = before + own.unitCap * deal.priceMicros;
  const micros = ceilDiv(net * BPS, BPS - BigInt(deal.feeBps));
  return { micros, perHourMicros: ceilDiv(micros * SECONDS_PER_HOUR, deal.promisedGpuSeconds) };
}

export interface Due {
  epochs: number;
  endS: number;
  micros: bigint;
}

/** Coupon that falls due on so many units by a quarter, a half, three quarters and all of the window. */
export function scheduleOf(deal: Deal, units: bigint): Due[] {
  const coupon = couponOf(deal);
  if (coupon === null) return [];
  const steps = new Set([1, 2, 3, 4].map((q) => Math.ceil((deal.epochs * q) / 4)));
  return [...steps].map((epochs) => ({
    epochs,
    endS: endOf(deal, epochs),
    micros: units * dueAfter(deal, coupon, epochs),
  }));
}

/** What happens in a default, in two sentences: rule 4 of docs/DEAL.md for a buyer. */
export function defaultText(deal: Deal, symbol: string): string {
  const most =
    couponOf(deal) === null
      ? "Units get what is left after the coupons before them"
      : "Units never get more than their coupon";
  return [
    `In a default the proceeds that delivery did not earn and the operator did not take go back by price, and the bond, now ${money(deal.bondMicros)} ${symbol}, pays attested rent that renters owe and then, by rank, each promised GPU-hour that is missing at ${exactMoney(deal.rateMicros)}.`,
    `${most}, both sums go only as far as they go, and nobody replaces what the operator took before.`,
  ].join(" ");
}
