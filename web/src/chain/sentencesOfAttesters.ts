/** Sentences for errors about attesters: members, panels, bonds, signatures, charges and duties. */

import { counted, grouped, money } from "../format/money";
import { short } from "../format/text";
import { instant } from "../format/time";

type Arguments = readonly unknown[];

const amount = (value: unknown): string => money(value as bigint);
const account = (value: unknown): string => short(String(value));
const time = (value: unknown): string => instant(Number(value));
const count = (value: unknown): string => grouped(value as bigint);

/** Most of a uint64: while a membership has no end. */
const NEVER = 2n ** 64n - 1n;

export const ATTESTER_SENTENCES: Record<string, (args: Arguments) => string> = {
  // signatures
  QuorumMissing: ([signatures, threshold]) =>
    Number(threshold) === 0
      ? "No panel of attesters signs for this facility."
      : `${counted(signatures as bigint, "attester")} signed; ${count(threshold)} are needed.`,
  AttestersNotAscending: () => "Signatures must stand in the order of the attesters' addresses.",
  NotAttester: ([who]) => `${account(who)} is not an active attester.`,
  NotOnPanel: ([who, panel]) =>
    `${account(who)} has no seat on panel ${count(panel)}, which signs for this facility.`,
  BondBelowMinimum: ([who, bond, minimum]) =>
    `Signatures of ${account(who)} do not count: its bond is ${amount(bond)}, and ${amount(minimum)} are the least.`,
  // members and panels
  AlreadyAttester: ([who]) => `${account(who)} is an attester already.`,
  AttesterSlotsFull: ([slots]) =>
    `All ${count(slots)} places are taken, by attesters or by accounts that left less than a challenge window ago.`,
  AttesterSeated: ([who, panel]) =>
    `${account(who)} has a seat on panel ${count(panel)}: give it to another attester first.`,
  AttesterLeaves: ([who, until]) =>
    `${account(who)} leaves at ${time(until)}, before the new seats would hold. Cancel its removal first.`,
  SeatsNotOdd: ([seats]) =>
    `A panel has an odd number of seats, so that more than half of them sign; ${count(seats)} were named.`,
  PanelUnknown: ([panel, panels]) =>
    Number(panels) === 0
      ? "There is no panel of attesters yet."
      : `There is no panel ${count(panel)}: panels are numbered from 1 to ${count(panels)}.`,
  PanelNotInForce: ([panel, from]) =>
    `Panel ${count(panel)} has no seats yet: its first ones hold from ${time(from)}.`,
  PanelsFull: ([panels]) => `There are ${count(panels)} panels, and no more can be made.`,
  // bonds
  BondTermsInvalid: ([minimum, slash]) =>
    `A least bond of ${amount(minimum)} and ${amount(slash)} for a fault do not fit: a fault must cost something, and the bond must cover it.`,
  AttesterLiable: ([, until]) =>
    BigInt(until as bigint) === NEVER
      ? "This bond answers for signed statements as long as its attester is a member."
      : `This bond answers for signed statements until ${time(until)}.`,
  NotLiable: ([who]) =>
    `${account(who)} can no longer be charged: it never was an attester, or left more than a challenge window ago.`,
  // charges
  ChargedBefore: () => "All of these signers were charged for this statement already.",
  ChallengeOpen: ([, epoch]) =>
    `Statement ${count(epoch)} is posted and can still be challenged: challenge it, which costs its signers the same.`,
  NoEquivocation: () =>
    "These two statements do not contradict each other: they differ in facility, epoch or statement before, are in the wrong order, or may both have been signed because one was voided.",
  SignersDiffer: () =>
    "The two statements were not signed by the same attesters. Show only those that signed both.",
  ProofForeign: () => "The proof is of another statement, or not of one statement alone.",
  // duties, refusals and pay
  StatementNotDue: ([, epoch]) =>
    `Statement ${count(epoch)} is not due: its time is not over, or the facility has no statement of that number.`,
  StatementFinal: ([, epoch]) =>
    `Statement ${count(epoch)} is final: refusals and further signatures come too late.`,
  StatementNotPosted: ([expected]) =>
    `Another statement of this number is posted: ${short(String(expected))}.`,
  RefusalInvalid: () =>
    "No refusal was given, or one gives no reason, or names neither a statement nor evidence.",
  RefusalStale: ([who]) =>
    `The refusal of ${account(who)} takes nothing back: it is of other evidence or of a statement, was signed before another rejection of this facility, or counts no more.`,
  BookedBefore: ([, epoch]) => `The duties for statement ${count(epoch)} are booked already.`,
  DutiesEnded: ([, until]) =>
    `Since ${time(until)} no such duty of this facility is booked any more: it is closed.`,
  DutiesOpen: () =>
    "Duties of this facility can still be booked: what nobody earned goes to the treasury 90 days after the closing.",
};
