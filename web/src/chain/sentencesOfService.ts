/** Sentences for errors that operators, attesters, challengers and roles run into. */

import { grouped, money } from "../format/money";
import { short } from "../format/text";
import { instant } from "../format/time";
import { onChainState } from "./stateWords";

type Arguments = readonly unknown[];

const amount = (value: unknown): string => money(value as bigint);
const account = (value: unknown): string => short(String(value));
const time = (value: unknown): string => instant(Number(value));
const count = (value: unknown): string => grouped(value as bigint);

/** Terms elsewhere in the deal that forbid a sale. */
const SALE_TERMS: Record<string, string> = {
  couponPerUnit:
    "A unit with a coupon would cost more than the coupon, which is all it is ever paid.",
  promisedAvailabilityPpm: "The offer promises no availability, so delivery could earn nothing.",
  bondTerms: "Terms of a bond are part of every sale: set them first.",
  ratePerGpuHour:
    "All promised hours at the bond's rate are worth less than what delivery has to earn.",
};

export const SERVICE_SENTENCES: Record<string, (args: Arguments) => string> = {
  // facilities
  NotGpuOperator: ([, who]) => `${account(who)} is not the operator of this facility.`,
  FacilityExists: () => "A facility with this id was offered already.",
  FacilityReservedBefore: ([facilityId, who]) =>
    `${account(who)} reserved number ${String(facilityId)} for an offer of its own: choose another number.`,
  FacilityNotOffered: () => "This facility is not in the state Offered.",
  FacilityNotDelivering: () =>
    "This facility is not delivering, or ended and takes no such statement any more.",
  FacilityClosed: () =>
    "The facility is closed: what it owed is shared, and nothing changes any more.",
  FacilityNotClosed: () => "The facility is not closed yet.",
  ClosingNotOpen: ([, from]) =>
    Number(from) === 0
      ? "The facility cannot be closed: it has not ended, or it is closed already."
      : `Statements and deliveries may still come: the facility can be closed from ${time(from)}.`,
  FacilityStateWrong: ([, state]) =>
    `This cannot be done now: the facility is ${onChainState(state) ?? "in another state"}.`,
  FacilityUnknown: () => "The chain knows no such facility: its offer is missing.",
  MintNotAllowed: () =>
    "Units of this facility are minted by its sale, or by its operator while it is offered.",
  UnitsAlreadyMinted: () =>
    "Units of this facility were minted already: it cannot be sold as a whole.",
  OfferNotExpired: () => "The offer has not expired.",
  BondTermsMissing: () => "Terms of a bond are part of every offer: set them first.",
  UnitsAboveCapacity: ([units, hours]) =>
    `${count(units)} units are more than the ${count(hours)} GPU-hours that the devices have in the window.`,
  PledgeNotApproved: () =>
    "The facility's attesters have not approved its devices yet. Without that it cannot be funded.",
  PledgeApprovedBefore: () => "The devices of this facility are approved already.",
  PledgeRootZero: () => "The root over the new devices is missing.",
  ReplacementNotAccepted: () =>
    "Devices can be replaced only once they were approved, while the facility is funded or delivering and an epoch of its window has not begun.",
  ReplacementTooEarly: ([, , least]) =>
    `Devices can be replaced from epoch ${count(least)} on, not earlier.`,
  FacilityEmpty: () => "Nobody holds a unit of the facility yet.",
  NotFacilityRegistry: () => "Only the facility registry may call this.",
  UnitsLocked: ([id]) =>
    `Units of tranche ${String(id)} do not move before the facility is funded.`,
  SettlementTokenNotAllowed: ([token]) => `${account(token)} is not an allowed settlement token.`,
  SaleExists: () => "This facility has a sale already.",
  SaleTermsInvalid: ([field]) =>
    SALE_TERMS[String(field)] ?? `The terms of the sale are not valid: ${String(field)}.`,
  TermsInvalid: ([field]) => `The terms are not valid: ${String(field)}.`,
  TermsFrozen: () => "The terms of the bond can no longer change.",
  NotMature: () =>
    "The facility cannot mature yet: its closing statement is not final, or rent is unpaid and 90 days after a notice of that are not over.",
  EpochNotOpen: ([, epoch]) => `Epoch ${count(epoch)} is stated or published: nobody waits for it.`,
  EpochNotOverdue: ([, epoch, from]) =>
    `Epoch ${count(epoch)} is not overdue: notice of default can be given from ${time(from)}.`,
  DefaultNoticedBefore: ([, epoch, noticedAt]) =>
    `Notice of epoch ${count(epoch)} was given at ${time(noticedAt)} and still counts.`,
  DefaultNotNoticed: ([, epoch]) =>
    `No notice of epoch ${count(epoch)} counts: none was given, or something of the facility was voided or rejected after it.`,
  CureRunning: ([, epoch, until]) =>
    `Epoch ${count(epoch)} may still be stated or published: a default can be declared from ${time(until)}.`,
  NothingUnpaid: () =>
    "There is nothing to give notice of: the closing statement is not final, everything is paid, or notice was given already.",
  LongStopAhead: ([, from]) => `Anybody can stop this facility from ${time(from)}, not before.`,
  AlreadyLinked: () => "The contracts were linked already.",
  LinkMissing: () => "A contract of the deployment is not linked yet.",
  MirrorLinked: () => "A token keeps a copy of the allow-list already.",
  // money
  RentNotAccepted: () => "This facility takes no rent now.",
  NothingToSettle: () => "Nothing is both attested and collected that is not settled yet.",
  NothingToRelease: () => "Nothing more is released yet: proceeds follow attested delivery.",
  NothingOwed: () => "The contract owes this account nothing.",
  NothingDue: () => "Nothing is due.",
  AmountZero: () => "The amount is zero.",
  DepositNotAccepted: () => "This facility takes no bond now.",
  BondStillNeeded: () =>
    "Only the bond of a cancelled offer is released here; that of a funded facility is paid out by its closing.",
  RateAboveLimit: ([, rate]) =>
    `At ${amount(rate)} an hour, all promised hours are worth more than a closing can pay out.`,
  RefundAboveExcess: ([, asked, excess]) =>
    `${amount(asked)} is more than the rent paid in excess, ${amount(excess)}.`,
  RefundAbovePaid: ([, , asked, paid]) =>
    `${amount(asked)} is more than this payer paid, ${amount(paid)}.`,
  CreditsRootZero: () => "The credits have no root.",
  CreditsApprovedBefore: () => "The credits of this facility were approved already.",
  CreditsTooLate: ([, until]) =>
    `Signed credits counted until ${time(until)}: what is left goes back to all payers by their shares.`,
  CreditUnknown: ([, index]) => `Attesters signed no such credit ${count(index)}.`,
  CreditRefundedBefore: ([, index]) => `Credit ${count(index)} was paid back already.`,
  SharesNotOpen: ([, from]) =>
    `Signed credits come first: shares of what they leave are paid back from ${time(from)}.`,
  NoShare: ([, who]) =>
    `${account(who)} gets nothing back: it paid nothing, had its share, or nothing is left.`,
  NotThisContract: () => "Only the contract itself may do this.",
  ClosingPosted: () => "The facility has its closing statement: nothing is stated after it.",
  NotRevenueSource: ([who]) => `${account(who)} may not accrue revenue.`,
  NotPrimarySale: () => "Only the primary sale may call this.",
  NotStatementRegistry: () => "Only the statement registry may call this.",
  NotAttesterRegistry: () => "Only the attester registry may call this.",
  NotDeliveryDesk: () => "Only the delivery desk may call this.",
  NotAttesterDesk: () => "Only the attester desk may call this.",
  NotRefundDesk: () => "Only the refund desk may call this.",
  NotRentLockbox: () => "Only the rent lockbox may call this.",
  PauseRunning: ([until]) => `It is paused already, until ${time(until)}.`,
  PauserResting: ([who, until]) =>
    `${account(who)} paused not long ago, and can pause again from ${time(until)}. Another pauser can now.`,
  // statements
  EpochBeyondWindow: ([, epoch, epochs]) =>
    `There is no epoch ${count(epoch)}: the window has ${count(epochs)}.`,
  EpochBoundsWrong: ([start, end]) => `This statement is over ${time(start)} to ${time(end)}.`,
  EpochNotOver: ([end]) => `What it states ends at ${time(end)}: it can be stated from then on.`,
  EpochOutOfOrder: ([, expected]) => `The next statement is number ${count(expected)}.`,
  GpuSecondsAboveCapacity: ([seconds, capacity]) =>
    `${count(seconds)} GPU-seconds are more than the ${count(capacity)} of all devices.`,
  PreviousStatementWrong: () => "The statement does not chain to the one before.",
  StatementBarred: () => "A proven fault voided this very statement: it cannot be posted again.",
  StatementHashWrong: () => "This is not the statement that was posted.",
  StatementInvalid: ([field]) => `The statement is not valid: ${String(field)}.`,
  StatementNotFinal: ([, epoch]) => `Statement ${count(epoch)} is not final yet.`,
  StatementUnknown: ([, epoch]) => `No statement ${count(epoch)} stands.`,
  PublicationOutOfOrder: ([, expected]) =>
    `Epochs are published in their order: the next is epoch ${count(expected)}.`,
  EvidenceHashZero: () => "The hash of the evidence is missing.",
  EpochRejected: ([, epoch]) =>
    `Attesters rejected the evidence of epoch ${count(epoch)}: now it can only be stated.`,
  NothingToReject: ([, epoch]) =>
    `No such evidence of epoch ${count(epoch)} stands published: there is nothing to reject.`,
  ChallengeTooLate: ([, , finalAt]) => `The statement is final since ${time(finalAt)}.`,
  NoFault: () => "What was shown breaks no rule.",
  ProofInvalid: ([which]) => `Proof ${count(which)} does not lead to the root.`,
  BatchEmpty: () => "The batch has no statement.",
  PanelDiffers: ([, panel, expected]) =>
    `Panel ${count(panel)} signs for this facility, and panel ${count(expected)} signed the batch.`,
  // allow-list
  GrantExpired: ([deadline]) => `The grant could be used until ${time(deadline)}.`,
  GrantNonceWrong: () => "The entry changed since the grant was signed.",
  GrantSignatureInvalid: () => "The grant is not signed by this compliance agent.",
  NotComplianceAgent: ([who]) => `${account(who)} is no compliance agent.`,
  ZeroAccount: () => "The account is missing.",
};
