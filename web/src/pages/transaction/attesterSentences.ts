/** A sentence for every event of AttesterRegistry and AttesterDesk. */

import { counted } from "../../format/money";
import { short } from "../../format/text";
import { instant } from "../../format/time";
import { type Sentence, type Who, count, isZero, money, until, whyRefused } from "./words";

/** Members, panels, bonds and charges. */
export const attesterSentences = (who: Who): Record<string, Sentence> => ({
  // members and panels
  AttesterSet: (a) =>
    `${who(a["attester"])} ${a["member"] === true ? "was made an attester" : "will be no attester any more"}`,
  AttesterPeriodSet: (a) =>
    `Signatures of ${who(a["attester"])} count from ${instant(Number(a["activeFrom"]))}${until(a["activeUntil"])}`,
  SlotTaken: (a) =>
    `${who(a["attester"])} took the place among the attesters that ${who(a["left"])} left`,
  AttesterUrlSet: (a) =>
    a["url"] === ""
      ? `The attester ${who(a["attester"])} names no address any more for its verdicts`
      : `The attester ${who(a["attester"])} says where its verdicts are found: ${short(String(a["url"]), 60, 10)}`,
  PanelSet: (a) => {
    const attesters = a["attesters"] as readonly unknown[];
    return `Panel ${count(a["panel"])} has ${counted(attesters.length, "seat")} from ${instant(Number(a["from"]))} on, for ${attesters.map(who).join(", ")}: ${count(a["threshold"])} must sign`;
  },
  OfferPanelSet: (a) => `New offers are given panel ${count(a["panel"])} of attesters`,
  // bonds
  AttesterBondDeposited: (a, s) =>
    `${who(a["payer"])} deposited ${money(a["amount"], s)} for the attester ${who(a["attester"])}, whose bond is now ${money(a["bond"], s)}`,
  AttesterBondWithdrawn: (a, s) =>
    `The attester ${who(a["attester"])} took its bond of ${money(a["amount"], s)}${a["to"] === a["attester"] ? "" : `, sent to ${who(a["to"])}`}`,
  AttesterSlashed: (a, s) =>
    `${money(a["amount"], s)} of the bond of the attester ${who(a["attester"])} was taken for what it signed of facility ${String(a["facilityId"])}, ${money(a["challengerAmount"], s)} of it for ${who(a["challenger"])}, who proved it`,
  SlashedTaken: (a, s) => `${money(a["amount"], s)} of attesters' bonds went to ${who(a["to"])}`,
  SignedFaultProven: (a) =>
    `${who(a["challenger"])} proved a fault of a signed statement ${count(a["epoch"])} of facility ${String(a["facilityId"])} that is not, or no longer, posted`,
});

/** Which statement: `statement 3 of facility 7`. */
const statementOf = (a: Record<string, unknown>): string =>
  `statement ${count(a["epoch"])} of facility ${String(a["facilityId"])}`;

/** Duties, refusals and pay. */
export const dutySentences = (who: Who): Record<string, Sentence> => ({
  StatementRefused: (a) =>
    `The attester ${who(a["attester"])} refused ${isZero(a["statementHash"]) ? "the evidence for " : ""}${statementOf(a)}: ${whyRefused(a["code"], a["place"])}`,
  SignatureShown: (a) =>
    `The attester ${who(a["attester"])} signed ${statementOf(a)} too: its signature was shown beside those that were posted`,
  DutyBooked: (a) =>
    `The attester ${who(a["attester"])} did its duty for ${statementOf(a)}, by signing or refusing it, and earns a part of the fees for that`,
  FeesSplit: (a, s) =>
    `Fees of facility ${String(a["facilityId"])} were split: ${money(a["toAttesters"], s)} for its attesters, ${money(a["toTreasury"], s)} for the treasury`,
  AttesterPaid: (a, s) =>
    `The attester ${who(a["attester"])} can withdraw ${money(a["amount"], s)} more: it earned ${money(a["earned"], s)} of the fees of facility ${String(a["facilityId"])} so far`,
  UnearnedReleased: (a, s) =>
    `${money(a["amount"], s)} of the fees of facility ${String(a["facilityId"])} went to the treasury: no attester did the duties that would have earned them`,
  FeesTaken: (a, s) =>
    `The treasury took ${money(a["amount"], s)} of fees, sent to ${who(a["to"])}`,
});
