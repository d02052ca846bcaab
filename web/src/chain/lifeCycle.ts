/** What can be done to end or close a facility, by whom and from when: as FacilityRegistry and RentLockbox decide. */

import type { FacilityState } from "../generated/states";
import type { BookFacts, ClaimsFacts } from "./facts/lockbox";
import type { EndingFacts, OfferFacts } from "./facts/registry";
import type { ClosingStatement, OpennessFacts } from "./facts/statements";

const DAY_S = 86_400;
// FacilityRegistry.sol: CURE and RECEIVABLE_LIFE.
const CURE_S = DAY_S;
const RECEIVABLE_LIFE_S = 90 * DAY_S;

/** Facts of one facility at one block. */
export interface LifeCycle extends EndingFacts, OpennessFacts, BookFacts {
  nowS: number;
  state: FacilityState;
  offer: OfferFacts;
  /** When notice of the first open epoch was given. */
  noticedAtS: number | null;
  epochsPosted: number;
  /** Of the statement after the last epoch: before it is final, nothing matures. */
  closingStatement: ClosingStatement;
  /** Revenue of all final statements, with a closing one. */
  attestedMicros: bigint;
  /** Null while it has not ended, and once it is closed. */
  closableFromS: number | null;
  /** What stays owed after the closing; all zero before it. */
  claims: ClaimsFacts;
}

/** A call that anybody may send from a time on; one that lies ahead is shown with its time. */
export interface Act {
  name: "noticeDefault" | "declareDefault" | "noticeUnpaid" | "mature" | "stop" | "close";
  fromS: number;
  /** The epoch that nobody stated, of an act that names one. */
  epoch: number | null;
  /** Rent that is attested and unpaid, of an act that depends on it. */
  unpaidMicros: bigint;
}

const ENDED: ReadonlySet<string> = new Set(["matured", "defaulted", "stopped"]);

/** Whether a facility ended after it was funded: then its closing pays out bond and proceeds. */
export function hasEnded(state: string): boolean {
  return ENDED.has(state);
}

export function epochCountOf({ windowStartS, windowEndS, epochLengthS }: OfferFacts): number {
  return (windowEndS - windowStartS) / epochLengthS;
}

/** Second after an epoch. */
export function epochEndOf({ windowStartS, epochLengthS }: OfferFacts, epoch: number): number {
  return windowStartS + (epoch + 1) * epochLengthS;
}

/** End of the seal: until then facts of the window can be stated, and the closing statement ends there. */
export function sealedAtOf({ windowEndS, sealS }: OfferFacts): number {
  return windowEndS + sealS;
}

/** From when anybody may stop a facility that nobody ended. */
export function stopsFromOf(offer: OfferFacts): number {
  return sealedAtOf(offer) + offer.longStopS;
}

/** From when notice can be given of the first open epoch; null if no epoch is open. */
export function overdueFromOf(facts: LifeCycle): number | null {
  const { firstOpen, fundedAtS, voidedAtS, rejectedAtS, offer } = facts;
  if (firstOpen >= epochCountOf(offer)) return null;
  const since = Math.max(epochEndOf(offer, firstOpen), fundedAtS ?? 0, voidedAtS ?? 0);
  // A notice in the second of a rejection would not count.
  return Math.max(since + offer.patienceS, (rejectedAtS ?? 0) + 1);
}

/** How long an epoch of which notice was given can still be stated or published, seconds. */
export function cureOf({ epochLengthS }: OfferFacts): number {
  return epochLengthS + CURE_S;
}

/** Until when the first open epoch can be stated or published after a notice; null if no notice counts. */
export function cureUntilOf({ noticedAtS, voidedAtS, rejectedAtS, offer }: LifeCycle) {
  if (noticedAtS === null || noticedAtS <= Math.max(voidedAtS ?? 0, rejectedAtS ?? 0)) return null;
  return noticedAtS + cureOf(offer);
}

/** First open epoch if it is over: what its operator publishes next; null if there is none. */
export function publishableEpochOf(facts: LifeCycle): number | null {
  const { firstOpen, offer, nowS, state } = facts;
  const over = firstOpen < epochCountOf(offer) && nowS >= epochEndOf(offer, firstOpen);
  return state === "delivering" && over ? firstOpen : null;
}

/** Attested rent that no renter paid, once all is stated and final; null before. That it is settled does not matter. */
export function unpaidOf(facts: LifeCycle): bigint | null {
  const { closingStatement, attestedMicros, collectedMicros } = facts;
  if (closingStatement !== "final") return null;
  return attestedMicros > collectedMicros ? attestedMicros - collectedMicros : 0n;
}

function ofDefault(facts: LifeCycle): Act[] {
  const overdueFromS = overdueFromOf(facts);
  if (overdueFromS === null) return [];
  const cureUntilS = cureUntilOf(facts);
  const epoch = facts.firstOpen;
  const about = { epoch, unpaidMicros: 0n };
  if (cureUntilS !== null) return [{ name: "declareDefault", fromS: cureUntilS, ...about }];
  // An epoch that is not over yet is nobody's failure, and no news.
  if (facts.nowS < epochEndOf(facts.offer, epoch)) return [];
  return [{ name: "noticeDefault", fromS: overdueFromS, ...about }];
}

function ofMaturity(facts: LifeCycle): Act[] {
  const unpaidMicros = unpaidOf(facts);
  if (unpaidMicros === null) return [];
  const about = { epoch: null, unpaidMicros };
  if (unpaidMicros === 0n) return [{ name: "mature", fromS: facts.nowS, ...about }];
  const { unpaidNoticedAtS } = facts;
  if (unpaidNoticedAtS === null) return [{ name: "noticeUnpaid", fromS: facts.nowS, ...about }];
  return [{ name: "mature", fromS: unpaidNoticedAtS + RECEIVABLE_LIFE_S, ...about }];
}

/** What anybody can do about a facility's end, now or later. */
export function actsOf(facts: LifeCycle): Act[] {
  const { state, nowS, offer, closableFromS } = facts;
  const about = { epoch: null, unpaidMicros: 0n };
  if (hasEnded(state)) {
    return closableFromS === null ? [] : [{ name: "close", fromS: closableFromS, ...about }];
  }
  if (state !== "delivering") return [];
  const acts = [...ofMaturity(facts), ...ofDefault(facts)];
  if (nowS >= offer.windowEndS) {
    acts.push({ name: "stop", fromS: stopsFromOf(offer), ...about });
  }
  return acts;
}
