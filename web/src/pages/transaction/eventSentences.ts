/** A sentence for every event of our contracts. */

import { zeroAddress } from "viem";
import { onChainState } from "../../chain/stateWords";
import { counted, gpuHours } from "../../format/money";
import { instant } from "../../format/time";
import {
  BURN_REASONS,
  LATEST_S,
  type Sentence,
  type Who,
  claimedBatch,
  closed,
  count,
  isZero,
  lateRent,
  money,
  moved,
  reason,
  signers,
  tranche,
} from "./words";

/** Units, stablecoin and sale. */
export const tradeSentences = (who: Who): Record<string, Sentence> => ({
  // units and revenue
  TransferSingle: (a) =>
    moved(a, `${counted(a["value"] as bigint, "unit")} of ${tranche(a["id"])}`, who),
  TransferBatch: (a) => {
    const values = a["values"] as readonly bigint[];
    const parts = (a["ids"] as readonly bigint[]).map((id, i) => `${count(values[i])} of ${id}`);
    return moved(a, `units (${parts.join(", ")})`, who);
  },
  ApprovalForAll: (a) =>
    a["approved"] === true
      ? `${who(a["account"])} let ${who(a["operator"])} move its units`
      : `${who(a["account"])} no longer lets ${who(a["operator"])} move its units`,
  RevenueClaimed: (a, s) =>
    `${who(a["holder"])} took ${money(a["amount"], s)} from ${tranche(a["id"])}${a["to"] === a["holder"] ? "" : `, sent to ${who(a["to"])}`}`,
  RevenueClaimedBatch: (a, s) => claimedBatch(a, s, who),
  RevenueAccrued: (a, s) =>
    `${money(a["amount"], s)} of revenue arrived for ${tranche(a["id"])}, streaming until ${instant(Number(a["streamEnd"]))}`,
  RevenueFlowedOn: (a, s) =>
    `${tranche(a["id"])} could not take ${money(a["amount"], s)} of revenue: it went on to the operator`,
  UnitsBurned: (a) =>
    `${counted(a["units"] as bigint, "unit")} of ${tranche(a["id"])} left circulation, ${BURN_REASONS[Number(a["reason"])] ?? "burned"}`,
  ForcedTransfer: (a) =>
    `An enforcer moved ${counted(a["amount"] as bigint, "unit")} of ${tranche(a["tokenId"])} from ${who(a["from"])} to ${who(a["to"])}`,
  Frozen: (a) =>
    `${counted(a["amount"] as bigint, "unit")} of ${tranche(a["tokenId"])} of ${who(a["account"])} are frozen`,
  Paused: (a) => `Paused until ${instant(Number(a["until"]))}, or sooner`,
  Unpaused: () => "Goes on after a pause",
  // stablecoin
  Transfer: (a, s) =>
    a["from"] === zeroAddress
      ? `${money(a["value"], s)} minted to ${who(a["to"])}`
      : `${who(a["from"])} paid ${money(a["value"], s)} to ${who(a["to"])}`,
  Approval: (a, s) => `${who(a["owner"])} lets ${who(a["spender"])} take ${money(a["value"], s)}`,
  AuthorizationUsed: (a) => `${who(a["authorizer"])} paid by a signed authorization`,
  AuthorizationCanceled: (a) => `${who(a["authorizer"])} cancelled a signed authorization`,
  // sale
  SaleOpened: (a) => `The sale of facility ${String(a["facilityId"])} was opened`,
  UnitsSold: (a, s) =>
    `${who(a["buyer"])} bought ${counted(a["units"] as bigint, "unit")} of ${tranche(a["id"])} for ${money(a["cost"], s)}`,
  UnitsRefunded: (a, s) =>
    `${money(a["amount"], s)} for ${counted(a["units"] as bigint, "unit")} of ${tranche(a["id"])} went back: bought by ${who(a["buyer"])}, paid to ${who(a["to"])}`,
  SaleSucceeded: (a, s) =>
    `The sale of facility ${String(a["facilityId"])} came about: ${counted(a["soldUnits"] as bigint, "unit")} for ${money(a["proceeds"], s)}`,
  SaleFailed: (a, s) =>
    `The sale of facility ${String(a["facilityId"])} failed: ${money(a["counted"], s)} of the floor of ${money(a["floorProceeds"], s)}`,
  ProceedsReleased: (a, s) =>
    `${money(a["amount"], s)} of proceeds became due to the operator ${who(a["gpuOperator"])}`,
  ProceedsSurrendered: (a, s) =>
    `${money(a["amount"], s)} of proceeds that were not released went to the closing of facility ${String(a["facilityId"])}; delivery had not earned ${money(a["unearned"], s)}`,
});

/** Rent, settlement, facilities and statements. */
export const rentSentences = (who: Who): Record<string, Sentence> => ({
  // rent and settlement
  RentPaid: (a, s) =>
    `${who(a["payer"])} paid ${money(a["amount"], s)} of rent to facility ${String(a["facilityId"])}`,
  RentRefunded: (a, s) => `${money(a["amount"], s)} of rent went back to ${who(a["payer"])}`,
  Settled: (a, s) =>
    `${money(a["amount"], s)} of facility ${String(a["facilityId"])} was settled, ${money(a["fee"], s)} of it fees`,
  FacilityClosed: closed,
  LateRentShared: lateRent,
  VoucherPaid: (a, s) =>
    `${who(a["holder"])} was credited ${money(a["amount"], s)} for what voucher ${String(a["voucherId"])} was not served`,
  FeesPassed: (a, s) =>
    `${money(a["amount"], s)} of fees of facility ${String(a["facilityId"])} went to the attester desk, which splits them between attesters and treasury`,
  CreditsApproved: (a) =>
    `${signers(a["attesters"])} signed the credits of facility ${String(a["facilityId"])}: rent above what is attested, for those who paid it. What is left ${instant(Number(a["sharesFrom"]))} goes back to all payers, in proportion to what they paid`,
  CreditRefunded: (a, s) =>
    `${who(a["payer"])} gets ${money(a["amount"], s)} of rent of facility ${String(a["facilityId"])} back, by signed credit ${count(a["index"])}`,
  ShareRefunded: (a, s) =>
    `${who(a["payer"])} gets ${money(a["amount"], s)} of rent of facility ${String(a["facilityId"])} back: its share of what no credit took, in proportion to the ${money(a["paid"], s)} that it had paid`,
  ResidualOwed: (a, s) =>
    `${money(a["amount"], s)} is owed to the operator ${who(a["gpuOperator"])}: what fell on unsold units or on nobody, or the rest of a closing or of late rent`,
  SettlementSkipped: (a) =>
    `Facility ${String(a["facilityId"])} could not be settled with the others of its batch`,
  Withdrawn: (a, s) => `${who(a["account"])} withdrew ${money(a["amount"], s)}`,
  // facilities and statements
  FacilityOffered: (a) =>
    `Facility ${String(a["facilityId"])} was offered by ${who(a["gpuOperator"])}; panel ${count(a["panel"])} of attesters signs for it`,
  FacilityReserved: (a) =>
    `${who(a["gpuOperator"])} reserved number ${String(a["facilityId"])} for an offer`,
  OfferRemoved: (a) =>
    `The offer of facility ${String(a["facilityId"])} was removed before it was funded`,
  PledgeApproved: (a) =>
    `${signers(a["attesters"])} approved the devices of facility ${String(a["facilityId"])}${Number(a["fromEpoch"]) === 0 ? "" : ` from epoch ${count(a["fromEpoch"])} on`}`,
  FacilityStateChanged: (a) =>
    `Facility ${String(a["facilityId"])} is ${onChainState(a["state"]) ?? "changed"}`,
  DefaultNoticed: (a) =>
    `${who(a["caller"])} gave notice that epoch ${count(a["epoch"])} of facility ${String(a["facilityId"])} is overdue: if it is still open at ${instant(Number(a["cureUntil"]))}, a default can be declared`,
  DefaultDeclared: (a) =>
    `${who(a["caller"])} declared facility ${String(a["facilityId"])} in default: epoch ${count(a["epoch"])} was neither stated nor published in time`,
  UnpaidNoticed: (a, s) =>
    `Notice was given that ${money(a["amount"], s)} of attested rent of facility ${String(a["facilityId"])} is unpaid: it can mature without it from ${instant(Number(a["maturesFrom"]))}`,
  ReceivableWrittenOff: (a, s) =>
    `${money(a["amount"], s)} of receivable of facility ${String(a["facilityId"])} was written off`,
  StatementPosted: (a) =>
    `Statement ${count(a["epoch"])} of facility ${String(a["facilityId"])} was posted with ${(a["attesters"] as readonly unknown[]).length} signatures`,
  StatementSkipped: (a) =>
    `Statement ${count(a["epoch"])} of facility ${String(a["facilityId"])} was not posted with the others of its batch: ${reason(a["reason"])}`,
  EvidencePublished: (a) =>
    `The operator published the hash of its evidence of facility ${String(a["facilityId"])}, epoch ${count(a["epoch"])}`,
  EvidenceRejected: (a) =>
    `${signers(a["attesters"])} rejected the published evidence of facility ${String(a["facilityId"])}, epoch ${count(a["epoch"])}: it can only be stated now, and later epochs are published no more`,
  StatementVoided: (a) =>
    `Statement ${count(a["epoch"])} of facility ${String(a["facilityId"])} was voided by a proven fault`,
});

/** Bond, vouchers, the allow-list, and what roles set. */
export const bondSentences = (who: Who): Record<string, Sentence> => ({
  // bond and vouchers
  BondDeposited: (a, s) =>
    `${who(a["payer"])} deposited a bond of ${money(a["amount"], s)} for facility ${String(a["facilityId"])}`,
  BondTermsSet: (a) => `The bond terms of facility ${String(a["facilityId"])} were set`,
  BondReleased: (a, s) =>
    `A bond of ${money(a["amount"], s)} was released to ${who(a["gpuOperator"])}`,
  BondSurrendered: (a, s) =>
    `The bond of ${money(a["amount"], s)} went to the closing of facility ${String(a["facilityId"])}`,
  VoucherIssued: (a) =>
    `${who(a["holder"])} took delivery for ${counted(a["units"] as bigint, "unit")} of ${tranche(a["id"])}: voucher ${String(a["voucherId"])} over ${gpuHours(a["owedGpuSeconds"] as bigint)} GPU-hours`,
  OrderCancelled: (a) => `${who(a["gpuOperator"])} took back a delivery order`,
  VoucherServed: (a) =>
    `${gpuHours(a["gpuSeconds"] as bigint)} GPU-hours of voucher ${String(a["voucherId"])} were served`,
  // allow-list
  InvestorSet: (a) =>
    `The allow-list entry of ${who(a["account"])} was set: ${a["canSend"] === true ? "may" : "may not"} send, ${a["canReceive"] === true ? "may" : "may not"} receive, until ${Number(a["expiresAt"]) > LATEST_S ? "further notice" : instant(Number(a["expiresAt"]))}`,
  IdentityRegistrySet: (a) =>
    a["identityRegistry"] === zeroAddress
      ? "The allow-list asks no identity registry any more"
      : `The allow-list also asks the identity registry ${who(a["identityRegistry"])}`,
  MirrorSet: (a) => `${who(a["mirror"])} keeps a copy of the allow-list`,
  // what roles set
  AuthorityUpdated: (a) => `Roles are kept by the access manager ${who(a["authority"])}`,
  SettlementTokenAllowed: (a) =>
    `${who(a["token"])} ${a["allowed"] === true ? "may" : "may no longer"} settle new facilities`,
  InvestorRegistrySet: (a) =>
    a["investorRegistry"] === zeroAddress
      ? "Moves of units ask no allow-list any more"
      : `Moves of units ask the allow-list ${who(a["investorRegistry"])}`,
  RevenueSourceSet: (a) =>
    `${who(a["source"])} ${a["allowed"] === true ? "may" : "may no longer"} bring revenue to holders`,
  LedgerKeySet: (a) =>
    `${who(a["gpuOperator"])} ${isZero(a["ledgerKey"]) ? "names no key any more that signs" : "named the key that signs"} for it in the logs of its facilities`,
  ContractURIUpdated: () => "The description of the units changed",
});
