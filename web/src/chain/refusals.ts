/** Why wallet, node or contract refused, in plain sentences. */

import {
  BaseError,
  ContractFunctionRevertedError,
  type Hex,
  RawContractError,
  decodeErrorResult,
} from "viem";
import { money } from "../format/money";
import { short } from "../format/text";
import { instant } from "../format/time";
import { errorsAbi } from "./abis";

type Arguments = readonly unknown[];

const amount = (value: unknown): string => money(value as bigint);
const account = (value: unknown): string => short(String(value));
const time = (value: unknown): string => instant(Number(value));

/** Sentences by error name; what is not here is shown by name with its arguments. */
const SENTENCES: Record<string, (args: Arguments) => string> = {
  // eligibility: TrancheToken asks InvestorRegistry on every path
  ERC7943CannotReceive: ([who]) =>
    `${account(who)} is not on the allow-list of investors, or its entry ended, so it cannot receive units.`,
  ERC7943CannotSend: ([who]) =>
    `${account(who)} may not send units: its entry in the allow-list ended or forbids it.`,
  ERC7943CannotTransfer: () => "These units may not move between these accounts.",
  ERC7943InsufficientUnfrozenBalance: ([who, , wanted, free]) =>
    `${account(who)} has ${String(free)} units that are not frozen; ${String(wanted)} were asked for.`,
  EnforcedPause: () => "Transfers and sales are paused. Claims go on.",
  // sale
  SaleNotOpen: () => "The sale of this tranche is not open.",
  SaleOutsideHours: ([opens, closes]) =>
    `The sale takes orders from ${time(opens)} until ${time(closes)}.`,
  SaleStillOpen: () => "The sale is still open.",
  UnitsAboveCap: ([, units, left]) =>
    `Only ${String(left)} units are left; ${String(units)} were asked for.`,
  UnitsZero: () => "Choose at least one unit.",
  CostAboveLimit: ([cost, limit]) =>
    `The price went above your limit: it costs ${amount(cost)}, and you allowed ${amount(limit)}.`,
  BondInsufficient: () => "The operator's bond is below its minimum.",
  NotRefunding: () => "This sale did not fail: there is nothing to refund.",
  NothingToRelease: () => "Nothing more is released yet: proceeds follow attested delivery.",
  TrancheUnknown: () => "There is no such tranche.",
  // tokens
  ERC20InsufficientBalance: ([who, has, wants]) =>
    `${account(who)} has ${amount(has)} of the stablecoin; ${amount(wants)} are needed.`,
  ERC20InsufficientAllowance: ([, has, wants]) =>
    `The allowance is ${amount(has)}; ${amount(wants)} are needed.`,
  ERC2612ExpiredSignature: ([deadline]) =>
    `The signed permit ended at ${time(deadline)}. Sign again.`,
  ERC1155InsufficientBalance: ([who, has, wants]) =>
    `${account(who)} holds ${String(has)} units; ${String(wants)} were asked for.`,
  ERC1155InvalidReceiver: ([who]) => `${account(who)} is a contract that cannot hold units.`,
  ERC1155MissingApprovalForAll: () => "The caller was not approved to move these units.",
  // claims and delivery
  ZeroRecipient: () => "The receiver is missing.",
  DeadlinePassed: ([deadline]) => `The signature ended at ${time(deadline)}.`,
  SignatureInvalid: ([who]) => `The signature is not of ${account(who)}.`,
  DeliveryClosed: () =>
    "Delivery can be taken only while the facility is funded or delivering, before its window ends.",
  DeliveryRefZero: () => "The lease reference of the delivery is missing.",
  DeliveryRefTaken: () => "This lease reference already delivers to another holder.",
  UnitsNotExpired: () => "Units can be burned only after the facility ended.",
  // facilities
  NotGpuOperator: ([, who]) => `${account(who)} is not the operator of this facility.`,
  FacilityExists: () => "A facility with this id was offered already.",
  FacilityNotOffered: () => "This facility is not in the state Offered.",
  FacilityUnknown: () => "The chain knows no such facility: its offer is missing.",
  MintNotAllowed: () =>
    "Units of this facility are minted by its sale, or by its operator while it is offered.",
  UnitsAlreadyMinted: () =>
    "Units of this facility were minted already: it cannot be sold as a whole.",
  SaleExists: () => "This facility has a sale already.",
  SaleTermsInvalid: ([field]) => `The terms of the sale are not valid: ${String(field)}.`,
  TermsInvalid: ([field]) => `The terms are not valid: ${String(field)}.`,
  TermsFrozen: () => "The terms of the bond can no longer change.",
  RentNotAccepted: () => "This facility takes no rent now.",
  NothingToSettle: () => "Nothing is both attested and collected that is not settled yet.",
  AmountZero: () => "The amount is zero.",
  NothingDue: () => "Nothing is due.",
  AccessManagedUnauthorized: ([who]) => `${account(who)} does not have the role for this.`,
};

/** An error of a contract by name and arguments. */
export interface Refusal {
  name: string;
  sentence: string;
}

/** A decoded custom error as a sentence. */
export function refusalOf(name: string, args: Arguments): Refusal {
  const known = SENTENCES[name];
  if (known !== undefined) return { name, sentence: known(args) };
  const shown = args.map((a) =>
    typeof a === "string" && a.startsWith("0x") ? short(a) : String(a),
  );
  return {
    name,
    sentence: `The contract refused: ${name}${shown.length > 0 ? ` (${shown.join(", ")})` : ""}.`,
  };
}

/** Revert data as a sentence; null if it is none of our errors. */
export function refusalOfData(data: Hex): Refusal | null {
  try {
    const decoded = decodeErrorResult({ abi: errorsAbi, data });
    return refusalOf(decoded.errorName, decoded.args ?? []);
  } catch {
    return null;
  }
}

function codeOf(error: unknown): number | null {
  if (!(error instanceof BaseError)) {
    const code = (error as { code?: unknown } | null)?.code;
    return typeof code === "number" ? code : null;
  }
  const found = error.walk((e) => typeof (e as { code?: unknown }).code === "number");
  return (found as { code?: number } | null)?.code ?? null;
}

/** Whether a person said no in the wallet (EIP-1193, code 4001). */
export function wasDeclined(error: unknown): boolean {
  return codeOf(error) === 4001;
}

function revertData(error: BaseError): Hex | null {
  const raw = error.walk((e) => e instanceof RawContractError || "data" in (e as object));
  const data = (raw as { data?: unknown } | null)?.data;
  if (typeof data === "string" && data.startsWith("0x") && data.length >= 10) return data as Hex;
  const inner = (data as { data?: unknown } | undefined)?.data;
  return typeof inner === "string" && inner.startsWith("0x") ? (inner as Hex) : null;
}

/** Any failure of a simulation or a send, as a sentence. */
export function sentenceOf(error: unknown): Refusal {
  if (wasDeclined(error)) {
    return { name: "Declined", sentence: "You declined in the wallet. Nothing was sent." };
  }
  if (error instanceof BaseError) {
    const reverted = error.walk((e) => e instanceof ContractFunctionRevertedError);
    if (reverted instanceof ContractFunctionRevertedError && reverted.data !== undefined) {
      return refusalOf(reverted.data.errorName, reverted.data.args ?? []);
    }
    const data = revertData(error);
    const refusal = data === null ? null : refusalOfData(data);
    if (refusal !== null) return refusal;
    if (/insufficient funds/i.test(error.message)) {
      return {
        name: "InsufficientFunds",
        sentence: "The account has too little of the chain's own coin to pay for gas.",
      };
    }
    return { name: error.name, sentence: error.shortMessage };
  }
  return { name: "Error", sentence: error instanceof Error ? error.message : String(error) };
}
