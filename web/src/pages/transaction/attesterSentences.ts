/** A sentence for every event of AttesterRegistry. */

import { counted } from "../../format/money";
import { short } from "../../format/text";
import { instant } from "../../format/time";
import { type Sentence, type Who, count, money, until } from "./words";

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
