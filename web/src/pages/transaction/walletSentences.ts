/** Sentences for events around lost wallets and contracts that cannot claim. */

import { counted } from "../../format/money";
import { instant } from "../../format/time";
import { type Sentence, type Who, count, tranche } from "./words";

export const walletSentences = (who: Who): Record<string, Sentence> => ({
  RecoveryProposed: (a) =>
    `${who(a["proposer"])} proposed to recover ${who(a["wallet"])}, said to be lost, to ${who(a["to"])}`,
  BeneficiaryProposed: (a) =>
    `${who(a["proposer"])} proposed to pay money of the contract ${who(a["wallet"])} to ${who(a["to"])}`,
  ProposalConfirmed: (a) =>
    `${who(a["confirmer"])} confirmed what is proposed for ${who(a["wallet"])}: it can be done from ${instant(Number(a["opensAt"]))} until ${instant(Number(a["closesAt"]))}`,
  ProposalVoided: (a) => `${who(a["wallet"])} acted or cancelled, so the proposal ended`,
  ProposalRejected: (a) => `${who(a["by"])} took back what was proposed for ${who(a["wallet"])}`,
  PositionsWatched: (a) =>
    `Acts of ${who(a["wallet"])} are watched in ${counted((a["ids"] as readonly bigint[]).length, "tranche")}`,
  WalletActed: (a) => `${who(a["wallet"])} showed that it can act`,
  WalletRecovered: (a) =>
    `The lost wallet ${who(a["wallet"])} was recovered: everything of it belongs to ${who(a["to"])}`,
  UnitsRecovered: (a) =>
    `${counted(a["units"] as bigint, "unit")} of ${tranche(a["id"])} moved from the lost wallet ${who(a["wallet"])} to ${who(a["to"])}, ${count(a["frozen"])} of them frozen`,
  BeneficiaryNamed: (a) =>
    `Money of the contract ${who(a["wallet"])} goes to ${who(a["to"])} from now on`,
  BeneficiaryRemoved: (a) =>
    `Money of the contract ${who(a["wallet"])} no longer goes to ${who(a["to"])}`,
  ContractTookMoney: (a) =>
    `The contract ${who(a["wallet"])} takes its money itself, so it never gets a beneficiary`,
  VoucherMoved: (a) =>
    `Voucher ${String(a["voucherId"])} moved from the lost wallet ${who(a["holder"])} to ${who(a["to"])}`,
});
