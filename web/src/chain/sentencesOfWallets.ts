/** Sentences for errors around lost wallets, beneficiaries and signatures that others send. */

import { grouped } from "../format/money";
import { short } from "../format/text";
import { instant } from "../format/time";

type Arguments = readonly unknown[];

const account = (value: unknown): string => short(String(value));
const time = (value: unknown): string => instant(Number(value));
const count = (value: unknown): string => grouped(value as bigint);

export const WALLET_SENTENCES: Record<string, (args: Arguments) => string> = {
  NotWalletDesk: () => "Only the wallet desk may call this.",
  NotOurContract: ([who]) => `${account(who)} is none of the contracts that may do this.`,
  WalletInvalid: ([who]) =>
    `${account(who)} can neither be recovered nor receive what is recovered.`,
  ClaimsItself: ([who]) =>
    `${account(who)} is no contract that cannot claim: it has a key, no code, or took money itself.`,
  ProposalPending: ([who]) => `Something is already proposed for ${account(who)}.`,
  ProposalUnknown: ([who]) =>
    `This is not proposed for ${account(who)} any more: it was executed, ended or lapsed.`,
  AlreadyConfirmed: () => "The proposal was confirmed already.",
  ConfirmerProposed: ([who]) =>
    `${account(who)} proposed this, so somebody else has to confirm it.`,
  ProposalNotOpen: ([, from]) =>
    Number(from) === 0
      ? "The proposal is not confirmed yet."
      : `The wait is not over: this can be done from ${time(from)}.`,
  NotNewWallet: ([to]) => `Only the new wallet, ${account(to)}, can do this.`,
  NewWalletNotEligible: ([to]) => `${account(to)} is not on the allow-list of investors.`,
  NotRecovered: ([who]) => `${account(who)} was not recovered.`,
  PositionNotQuiet: ([who, id, from]) =>
    Number(from) === 0
      ? `The units of ${account(who)} in tranche ${String(id)} are not watched, or it acted since.`
      : `The units of ${account(who)} in tranche ${String(id)} can be collected from ${time(from)}.`,
  NoPayee: ([who]) => `Nobody may take money in the place of ${account(who)}.`,
  ReceiverNotPayee: ([payee]) => `Only ${account(payee)} decides where this money goes.`,
  RecoveryPending: ([who]) =>
    `A recovery of ${account(who)} is pending: what would be sent to it waits.`,
  NotProposer: ([who]) => `Only ${account(who)}, which proposed this, can take it back.`,
  VoucherOfAnother: ([voucher, , who]) =>
    `Voucher ${count(voucher)} does not belong to ${account(who)}.`,
};
