/** A sentence for every custom error of the contracts; refusals.test.ts fails when one is missing. */

import { grouped, money } from "../format/money";
import { short } from "../format/text";
import { instant } from "../format/time";
import { ATTESTER_SENTENCES } from "./sentencesOfAttesters";
import { SERVICE_SENTENCES } from "./sentencesOfService";
import { WALLET_SENTENCES } from "./sentencesOfWallets";

export type Arguments = readonly unknown[];

const amount = (value: unknown): string => money(value as bigint);
const account = (value: unknown): string => short(String(value));
const time = (value: unknown): string => instant(Number(value));
const count = (value: unknown): string => grouped(value as bigint);

const SALE_STATES = ["not opened", "open", "over and successful", "over; it missed its floor"];

/** What holders and buyers can run into. */
const HOLDER_SENTENCES: Record<string, (args: Arguments) => string> = {
  // eligibility: TrancheToken asks InvestorRegistry on every path
  ERC7943CannotReceive: ([who]) =>
    `${account(who)} is not on the allow-list of investors, or its entry ended, so it cannot receive units.`,
  ERC7943CannotSend: ([who]) =>
    `${account(who)} may not send units: its entry in the allow-list ended or forbids it.`,
  ERC7943CannotTransfer: () => "These units may not move between these accounts.",
  ERC7943InsufficientUnfrozenBalance: ([who, , wanted, free]) =>
    `${account(who)} has ${count(free)} units that are not frozen; ${count(wanted)} were asked for.`,
  EnforcedPause: () => "Transfers and sales are paused. Claims go on.",
  // sale
  SaleNotOpen: ([, state]) =>
    `The sale of this tranche is ${SALE_STATES[Number(state)] ?? "not open"}.`,
  SaleOutsideHours: ([opens, closes]) =>
    `The sale takes orders from ${time(opens)} until ${time(closes)}.`,
  SaleStillOpen: () => "The sale is still open, or its floor is not reached.",
  SaleRunning: () =>
    "This facility has a sale: it alone funds it, and cancels it once a unit is sold.",
  BoughtInThisBlock: () => "Somebody bought in this very block. Try again in the next one.",
  UnitsAboveCap: ([, units, left]) =>
    `Only ${count(left)} units are left; ${count(units)} were asked for.`,
  UnitsZero: () => "Choose at least one unit.",
  CostAboveLimit: ([cost, limit]) =>
    `The price went above your limit: it costs ${amount(cost)}, and you allowed ${amount(limit)}.`,
  BondInsufficient: () => "The operator's bond is below its minimum.",
  NotRefunding: () => "This sale did not fail: there is nothing to refund.",
  RefundNotOpen: () => "Units of this tranche are not refunded.",
  TrancheUnknown: () => "There is no such tranche.",
  // stablecoin
  ERC20InsufficientBalance: ([who, has, wants]) =>
    `${account(who)} has ${amount(has)} of the stablecoin; ${amount(wants)} are needed.`,
  ERC20InsufficientAllowance: ([, has, wants]) =>
    `The allowance is ${amount(has)}; ${amount(wants)} are needed.`,
  ERC20InvalidApprover: () => "The stablecoin refused the approval: its owner is missing.",
  ERC20InvalidReceiver: ([who]) => `The stablecoin cannot be sent to ${account(who)}.`,
  ERC20InvalidSender: ([who]) => `The stablecoin cannot be sent by ${account(who)}.`,
  ERC20InvalidSpender: () => "The stablecoin refused the approval: the spender is missing.",
  ERC2612ExpiredSignature: ([deadline]) =>
    `The signed permit ended at ${time(deadline)}. Sign again.`,
  ERC2612InvalidSigner: () => "The permit was signed by another account. Sign again.",
  ERC3009InvalidAuthorizationTime: ([after, before]) =>
    `The authorization counts only between ${time(after)} and ${time(before)}.`,
  ERC3009InvalidSignature: () => "The authorization was signed by another account.",
  ERC3009UsedAuthorization: () => "This authorization was used already.",
  InvalidAccountNonce: () => "The signature is older than another one that was used. Sign again.",
  SafeERC20FailedOperation: () => "The stablecoin refused to move the money.",
  SettlementShort: ([expected, received]) =>
    `${amount(expected)} of the stablecoin should have arrived; ${amount(received)} did.`,
  ECDSAInvalidSignature: () => "The signature is not valid. Sign again.",
  ECDSAInvalidSignatureLength: () => "The signature has a wrong length. Sign again.",
  ECDSAInvalidSignatureS: () => "The signature is not in its canonical form. Sign again.",
  // units
  ERC1155InsufficientBalance: ([who, has, wants]) =>
    `${account(who)} holds ${count(has)} units; ${count(wants)} were asked for.`,
  ERC1155InvalidApprover: () => "The owner of the approval is missing.",
  ERC1155InvalidArrayLength: ([ids, values]) =>
    `${count(ids)} tranches were named with ${count(values)} amounts.`,
  ERC1155InvalidOperator: () => "The account to approve is missing.",
  ERC1155InvalidReceiver: ([who]) => `${account(who)} is a contract that cannot hold units.`,
  ERC1155InvalidSender: ([who]) => `${account(who)} cannot send units.`,
  ERC1155MissingApprovalForAll: ([who, owner]) =>
    `${account(owner)} did not approve ${account(who)} to move its units.`,
  // claims and delivery
  RecipientInvalid: ([who]) =>
    BigInt(String(who)) === 0n
      ? "The receiver is missing."
      : `${account(who)} is a contract of Rentroll or the stablecoin itself: money sent there would be nobody's.`,
  DeadlinePassed: ([deadline]) => `The signature ended at ${time(deadline)}.`,
  SignatureInvalid: ([who]) => `The signature is not of ${account(who)}.`,
  DeliveryClosed: () =>
    "Delivery can be taken only while the facility is funded or delivering, before its window ends.",
  DeliveryWithoutRate: () =>
    "The bond's terms have no rate, so that nothing would be paid for missing compute: units of this facility give none.",
  DeliveryEmpty: ([, units]) =>
    `${count(units)} units would give less than a GPU-second: the window is almost over, or coupons of more senior tranches take all that the promised hours are worth.`,
  OrderOfAnother: ([holder]) => `This delivery order is for ${account(holder)}.`,
  OrderExpired: ([deadline]) => `The delivery order ended at ${time(deadline)}.`,
  OrderUsed: () => "This delivery order was used or taken back. Ask the operator for a new one.",
  OrderSignatureInvalid: ([who]) =>
    `The delivery order is not signed by the operator, ${account(who)}.`,
  LeaseZero: () => "The lease of the delivery is missing.",
  LeaseTaken: ([, , holder]) =>
    `This lease already delivers to another holder, ${account(holder)}.`,
  UnitsNotExpired: () =>
    "Units can be burned for nothing only after their offer was cancelled, and if no sale pays them back.",
  VoucherUnknown: ([voucher]) => `There is no voucher ${count(voucher)}.`,
  NothingForVoucher: ([voucher]) =>
    `There is nothing for voucher ${count(voucher)} now: its facility is not closed yet, all of it was served, or all that there is was credited.`,
  LineAlreadyUsed: ([, epoch, index]) =>
    `Every second of line ${count(index)} of epoch ${count(epoch)} served a voucher already.`,
  LineNotDelivery: ([, epoch, index]) =>
    `Line ${count(index)} of epoch ${count(epoch)} is no delivery inside the window.`,
  LineNotForVoucher: ([voucher]) =>
    `The line does not serve voucher ${count(voucher)}: another lease, or from before it was issued.`,
  NothingToServe: () => "All of these vouchers were served already.",
  LineNotProven: ([, epoch, index]) =>
    `The proof does not lead from line ${count(index)} to the statement of epoch ${count(epoch)}.`,
  // any contract
  AccessManagedUnauthorized: ([who]) => `${account(who)} does not have the role for this.`,
  AccessManagedRequiredDelay: ([, delay]) =>
    `This has to be scheduled first, and waits ${count(delay)} s.`,
  AccessManagedInvalidAuthority: ([who]) => `${account(who)} is no access manager.`,
  ReentrancyGuardReentrantCall: () => "The contract was called again from within this call.",
  SafeCastOverflowedUintDowncast: () => "The number is too large for the contract.",
  ValueTooLarge: () => "The number is too large for the contract.",
  AmountAboveLimit: ([value, limit]) =>
    `${amount(value)} is more than can still be paid here: ${amount(limit)}.`,
  AddressEmptyCode: ([who]) => `${account(who)} is no contract.`,
  FailedCall: () => "A call to another contract failed.",
  InvalidShortString: () => "A name in the contract is too long.",
  StringTooLong: () => "A name in the contract is too long.",
  Error: ([text]) => `The contract refused: ${String(text)}.`,
  Panic: () => "The contract stopped on an arithmetic fault. Nothing was moved.",
};

/** Sentences by error name. */
export const SENTENCES: Record<string, (args: Arguments) => string> = {
  ...SERVICE_SENTENCES,
  ...ATTESTER_SENTENCES,
  ...WALLET_SENTENCES,
  ...HOLDER_SENTENCES,
};
