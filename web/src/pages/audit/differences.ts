/** The five numbers in order, and the named differences that lead from one to the next. */

import type { Schemas } from "../../api/client";

type Differences = Schemas["DifferencesOut"];
export type DifferenceName = keyof Differences;

export interface Difference {
  key: DifferenceName;
  name: string;
  /** Between which numbers it stands. */
  between: string;
  what: string;
  unit: "micros" | "gpu_seconds";
}

const d = (
  key: DifferenceName,
  name: string,
  between: string,
  what: string,
  unit: Difference["unit"] = "micros",
): Difference => ({ key, name, between, what, unit });

export const DIFFERENCES: readonly Difference[] = [
  d(
    "open_epoch_gpu_seconds",
    "Open epochs",
    "Metered to rated",
    "Recorded and in no statement yet, less what was taken back and is in none.",
    "gpu_seconds",
  ),
  d(
    "unbilled_gpu_seconds",
    "Billed to nobody",
    "Metered to rated",
    "Metered while the device was out of service, outside of its lease, or not pledged.",
    "gpu_seconds",
  ),
  d(
    "awaiting_posting_micros",
    "Awaiting posting",
    "Rated to attested",
    "In statements that are made, and not on-chain yet.",
  ),
  d(
    "challenge_window_micros",
    "Challenge window",
    "Attested to settled",
    "Posted, but anybody may still challenge it: not settled before it is final.",
  ),
  d(
    "receivable_micros",
    "Receivable",
    "Attested to collected",
    "Attested rent that renters have not paid into the lockbox yet.",
  ),
  d(
    "written_off_micros",
    "Written off",
    "Attested to collected",
    "Attested rent that was unpaid when the facility matured.",
  ),
  d(
    "prepaid_micros",
    "Prepaid rent",
    "Attested to collected",
    "Paid into the lockbox beyond what is attested: stays there until it is.",
  ),
  d(
    "awaiting_settlement_micros",
    "Awaiting settlement",
    "Collected to settled",
    "Final and collected: anybody can settle it now.",
  ),
  d(
    "credited_micros",
    "Credited after settlement",
    "Collected to settled",
    "The closing statement took it back when it was paid out already: it stays paid, and is the operator's debt to its renters.",
  ),
  d(
    "advanced_micros",
    "Paid by the bond",
    "Collected to settled",
    "Attested rent that the bond paid at the closing in place of renters, less later rent that went to claims: below zero where that is more.",
  ),
  d(
    "fees_micros",
    "Protocol fees",
    "Settled to claimed",
    "Taken from settlements at the facility's fee.",
  ),
  d(
    "owed_to_operator_micros",
    "Owed to operator",
    "Settled to claimed",
    "Fell on unsold units or on nobody, or beyond what a unit can earn.",
  ),
  d(
    "recovered_micros",
    "From bond and sale",
    "Settled to claimed",
    "What units got of bond and unearned proceeds at the closing, and of late rent since: it adds to what can be claimed.",
  ),
  d(
    "streaming_micros",
    "Streaming",
    "Settled to claimed",
    "Still streams to holders over the running epoch, rounded up.",
  ),
  d("unclaimed_micros", "Unclaimed", "Settled to claimed", "Earned by holders and not taken yet."),
];
