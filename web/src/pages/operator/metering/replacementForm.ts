/** A card that takes another's place: the form as a request, and what became of it in words. */

import type { Schemas } from "../../../api/client";
import { grouped, parseUnits } from "../../../format/money";
import type { Tone } from "../../../parts/Status";
import { jsonInteger } from "../forms/numbers";
import type { FieldErrors } from "../launch/offerForm";
import type { Made } from "../leases/leaseForms";
import type { Replacement } from "../queries";
import { parseDevices } from "./deviceList";
import { nameFault } from "./deviceName";

export interface ReplacementFields {
  old: string;
  come: string;
  reason: string;
  fromEpoch: string;
}

/** The name that the service has for each field. */
export const PLACES: Record<keyof ReplacementFields, string> = {
  old: "old",
  come: "new",
  reason: "reason",
  fromEpoch: "from_epoch",
};

const MAX_EPOCH = 2n ** 32n - 1n;

/** Asks for a replacement. Without an epoch it is the next one. */
export function replacementBody(fields: ReplacementFields): Made<Schemas["ReplacementIn"]> {
  const errors: FieldErrors = {};
  const old = fields.old.trim();
  const fault = nameFault(old);
  if (fault !== null) errors[PLACES.old] = `${sentence(fault)}.`;
  const list = parseDevices(fields.come);
  const [come, ...more] = list.devices;
  const wrong = list.problems[0];
  if (wrong !== undefined) errors[PLACES.come] = `${sentence(wrong.why)}.`;
  else if (more.length > 0) errors[PLACES.come] = "One device at a time.";
  else if (come === undefined) errors[PLACES.come] = "Name the device that comes.";
  const reason = fields.reason.trim();
  if (reason === "" || reason.length > 120) errors[PLACES.reason] = "1 to 120 characters.";
  let epoch: number | null = null;
  if (fields.fromEpoch.trim() !== "") {
    const value = parseUnits(fields.fromEpoch);
    epoch = value !== null && value <= MAX_EPOCH ? jsonInteger(value) : null;
    if (epoch === null) errors[PLACES.fromEpoch] = "The number of an epoch.";
  }
  if (come === undefined || Object.keys(errors).length > 0) return { body: null, errors };
  return { body: { old, new: come, reason, from_epoch: epoch }, errors: null };
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

const WORDS: Record<Replacement["state"], { word: string; tone: Tone }> = {
  pending: { word: "Waiting", tone: "info" },
  approved: { word: "Approved", tone: "good" },
  withdrawn: { word: "Withdrawn", tone: "quiet" },
  lapsed: { word: "Lapsed", tone: "warning" },
};

/** A replacement's state in a word. */
export function stateWord(state: Replacement["state"]): { word: string; tone: Tone } {
  return WORDS[state];
}

/** What one that waits waits for. */
export function waitsText({ signatures, threshold, transaction }: Replacement): string {
  if (transaction !== null)
    return "Enough attesters signed it. Send it before its epoch begins: then it is too late.";
  if (signatures === null || threshold === null) return "No node says how far it came.";
  const count = `${grouped(signatures)} of ${grouped(threshold)}`;
  return signatures < threshold
    ? `Attesters look at it: ${count} signed. They do that by themselves.`
    : `${count} attesters signed it, and its epoch has begun: it lapses.`;
}
