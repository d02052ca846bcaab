/** The form that registers a facility: its texts, defaults, and the body that the service takes. */

import type { Schemas } from "../../../api/client";
import { parseMoney, parseUnits } from "../../../format/money";
import { duration } from "../../../format/time";
import { type DeviceList, deviceListError, parseDevices } from "../metering/deviceList";
import {
  bpsOfPercent,
  jsonInteger,
  ppmOfPercent,
  rfc3339,
  secondsOfDays,
  utcInput,
  utcSeconds,
} from "../forms/numbers";

export const MAX_TRANCHES = 4;
const DAY_S = 86_400;
// OfferTerms.sol: an offer can still be funded for so long after its window began.
const MAX_LATE_FUNDING_S = 3 * DAY_S;
// OfferTerms.sol: attesters have a day for an epoch beside the time in which it is closed, at most another epoch.
const PATIENCE_BEYOND_EPOCH_S = DAY_S;
const MOST_BEYOND_EPOCH_S = 90 * DAY_S;
const PROPOSED_PATIENCE_S = 7 * DAY_S;
// OfferTerms.sol: MAX_SEAL.
const MAX_SEAL_S = 90 * DAY_S;
const MIN_LONG_STOP_S = 90 * DAY_S;
const MAX_LONG_STOP_S = 365 * DAY_S;

export interface TrancheFields {
  unitCap: string;
  /** Money that one unit earns over the window before juniors; the last tranche has none. */
  coupon: string;
}

export type Silence = Schemas["FacilityIn"]["silence"];
export type Unsigned = Schemas["FacilityIn"]["unsigned"];

export const SILENCES: readonly { value: Silence; label: string }[] = [
  { value: "unavailable", label: "Not available" },
  { value: "available", label: "Available" },
];

export const UNSIGNED: readonly { value: Unsigned; label: string }[] = [
  { value: "taken", label: "Taken" },
  { value: "refused", label: "Refused" },
];

export interface OfferFields {
  name: string;
  gpuClass: string;
  site: string;
  windowStart: string;
  /** Empty: a day after the window begins. */
  expiresAt: string;
  epochLengthS: string;
  epochs: string;
  availability: string;
  fee: string;
  /** Percent of the fee. */
  attesterFee: string;
  /** Days; empty is what we propose. */
  patienceDays: string;
  /** Days after the window in which its facts can still be stated. */
  sealDays: string;
  longStopDays: string;
  /** What a device is while nothing is said of it. */
  silence: Silence;
  /** Whether the log takes batches that nobody signed. */
  unsigned: Unsigned;
  tranches: TrancheFields[];
  devices: string;
}

/** Sentences by field, named as the body of the request names them (`tranches.0.unit_cap`). */
export type FieldErrors = Record<string, string>;

export const EPOCH_LENGTHS: readonly { seconds: number; name: string }[] = [
  { seconds: 60, name: "1 minute (trials)" },
  { seconds: 300, name: "5 minutes (trials)" },
  { seconds: 3_600, name: "1 hour" },
  { seconds: 21_600, name: "6 hours" },
  { seconds: DAY_S, name: "1 day" },
  { seconds: 7 * DAY_S, name: "7 days" },
  { seconds: 30 * DAY_S, name: "30 days" },
];

/** What the form begins with: thirty daily epochs from a midnight far enough for a sale. */
export function offerDefaults(nowS: number): OfferFields {
  return {
    name: "",
    gpuClass: "H100-SXM5-80GB",
    site: "",
    windowStart: utcInput((Math.floor(nowS / DAY_S) + 8) * DAY_S),
    expiresAt: "",
    epochLengthS: String(DAY_S),
    epochs: "30",
    availability: "99",
    fee: "1",
    attesterFee: "40",
    patienceDays: "",
    sealDays: "35",
    longStopDays: "180",
    silence: "unavailable",
    unsigned: "taken",
    tranches: [
      { unitCap: "", coupon: "" },
      { unitCap: "", coupon: "" },
    ],
    devices: "",
  };
}

/** Whole epochs in the window, or null. */
function epochCount(fields: OfferFields): number | null {
  const count = parseUnits(fields.epochs);
  return count !== null && count > 0n && count <= 1_000_000n ? Number(count) : null;
}

/** End of the window in UTC seconds; null while start or epochs are not valid. */
export function windowEndS(fields: OfferFields): number | null {
  const start = utcSeconds(fields.windowStart);
  const count = epochCount(fields);
  const end = start === null || count === null ? null : start + count * Number(fields.epochLengthS);
  // Times on-chain have 32 bits.
  return end !== null && end < 2 ** 32 ? end : null;
}

/** When the offer expires, in UTC seconds: as said, or a day after the window begins; null while neither is valid. */
export function expiresAtS(fields: OfferFields): number | null {
  if (fields.expiresAt.trim() !== "") return utcSeconds(fields.expiresAt);
  const start = utcSeconds(fields.windowStart);
  return start === null ? null : start + DAY_S;
}

/** Least patience: an epoch and a day. */
function leastPatienceS(fields: OfferFields): number {
  return Number(fields.epochLengthS) + PATIENCE_BEYOND_EPOCH_S;
}

/** How long an epoch may be open: as said, or a week, or the least if that is longer; null for a text that is no number. */
export function patienceS(fields: OfferFields): number | null {
  if (fields.patienceDays.trim() !== "") return secondsOfDays(fields.patienceDays);
  return Math.max(PROPOSED_PATIENCE_S, leastPatienceS(fields));
}

/** How long after the window late facts can be stated, seconds; null for a text that is no valid seal. */
export function sealS(fields: OfferFields): number | null {
  const seal = secondsOfDays(fields.sealDays);
  return seal !== null && seal > 0 && seal <= MAX_SEAL_S ? seal : null;
}

/** What is wrong with the times of default, seal and long stop, by field. */
function problemsWithTimes(fields: OfferFields): FieldErrors {
  const errors: FieldErrors = {};
  const patience = patienceS(fields);
  const least = leastPatienceS(fields);
  const most = Number(fields.epochLengthS) + MOST_BEYOND_EPOCH_S;
  if (patience === null) errors["patience_s"] = "Days, at most 2 decimals, such as 7.";
  else if (patience < least)
    errors["patience_s"] =
      `At least an epoch and a day, ${duration(least)}: closing takes up to an epoch, and attesters have a day.`;
  else if (patience > most)
    errors["patience_s"] = `At most an epoch and 90 days, ${duration(most)}.`;
  if (sealS(fields) === null) errors["seal_s"] = "Above 0, at most 90 days.";
  const longStop = secondsOfDays(fields.longStopDays);
  if (longStop === null || longStop < MIN_LONG_STOP_S || longStop > MAX_LONG_STOP_S)
    errors["long_stop_s"] = "90 to 365 days.";
  return errors;
}

/** What is wrong with the devices and the class of which they are, by field. */
function problemsWithDevices(list: DeviceList, gpuClass: string): FieldErrors {
  const errors: FieldErrors = {};
  const listError = deviceListError(list);
  if (listError !== null) errors["devices"] = listError;
  if (list.profile !== null && gpuClass !== "" && !gpuClass.endsWith(`/${list.profile}`))
    errors["gpu_class"] =
      `End the class with the profile of the slices: ${gpuClass.split("/")[0] ?? ""}/${list.profile}.`;
  return errors;
}

/** GPU-hours that the devices have in the window, rounded down; null while the window is not valid. */
export function capacityHours(fields: OfferFields, devices: number): bigint | null {
  const count = epochCount(fields);
  if (count === null) return null;
  return (BigInt(devices) * BigInt(count) * BigInt(fields.epochLengthS)) / 3_600n;
}

/** The capacity cut into tranches: 60 % to the senior, the rest in equal parts; every unit is in one of them. */
export function splitCapacity(capacity: bigint, tranches: number): bigint[] {
  if (tranches === 1) return [capacity];
  const senior = (capacity * 60n) / 100n;
  const juniors = BigInt(tranches - 1);
  const part = (capacity - senior) / juniors;
  const rest = capacity - senior - part * juniors;
  return Array.from({ length: tranches }, (_, i) => (i === 0 ? senior + rest : part));
}

function required(errors: FieldErrors, field: string, text: string, most: number): string {
  const value = text.trim();
  if (value === "") errors[field] = "Fill this in.";
  else if (value.length > most) errors[field] = `At most ${most} characters.`;
  return value;
}

/** Tranches of a request and the units of those that are right; notes what is wrong. */
function tranchesOf(tranches: readonly TrancheFields[], errors: FieldErrors) {
  const last = tranches.length - 1;
  let units = 0n;
  const found = tranches.map((tranche, i) => {
    const cap = parseUnits(tranche.unitCap);
    if (cap === null || cap === 0n || cap >= 2n ** 40n)
      errors[`tranches.${i}.unit_cap`] = "Whole units, at least 1.";
    else units += cap;
    const coupon = i === last || tranche.coupon.trim() === "" ? 0n : parseMoney(tranche.coupon);
    const exact = coupon === null ? null : jsonInteger(coupon);
    if (exact === null)
      errors[`tranches.${i}.coupon_micros_per_unit`] = "An amount with at most 6 decimals.";
    else if (i !== last && exact === 0)
      errors[`tranches.${i}.coupon_micros_per_unit`] =
        "Above zero: only the last tranche takes what is left.";
    return { unit_cap: Number(cap ?? 0n), coupon_micros_per_unit: exact ?? 0 };
  });
  return { tranches: found, units };
}

/** Values of a form as request body, or what is wrong by field. */
export function facilityBody(
  fields: OfferFields,
): { body: Schemas["FacilityIn"]; errors: null } | { body: null; errors: FieldErrors } {
  const errors: FieldErrors = {};
  const name = required(errors, "name", fields.name, 80);
  const gpuClass = required(errors, "gpu_class", fields.gpuClass, 32);
  const site = required(errors, "site", fields.site, 32);
  const start = utcSeconds(fields.windowStart);
  if (start === null) errors["window_start"] = "Choose a day and a time.";
  const end = windowEndS(fields);
  if (start !== null && end === null) errors["window_end"] = "Give a whole number of epochs.";
  const expires = expiresAtS(fields);
  if (start !== null && expires === null) errors["expires_at"] = "Choose a day and a time.";
  else if (start !== null && expires !== null && expires > start + MAX_LATE_FUNDING_S)
    errors["expires_at"] = "At most three days after the window begins.";
  const availability = ppmOfPercent(fields.availability);
  if (availability === null)
    errors["promised_availability_ppm"] = "0 to 100 percent, at most 4 decimals.";
  const fee = bpsOfPercent(fields.fee, 10);
  if (fee === null) errors["fee_bps"] = "0 to 10 percent, at most 2 decimals.";
  const attesterFee = bpsOfPercent(fields.attesterFee);
  if (attesterFee === null)
    errors["attester_fee_bps"] = "0 to 100 percent of the fee, at most 2 decimals.";

  Object.assign(errors, problemsWithTimes(fields));

  const list = parseDevices(fields.devices);
  Object.assign(errors, problemsWithDevices(list, gpuClass));

  const { tranches, units } = tranchesOf(fields.tranches, errors);
  const capacity = capacityHours(fields, list.devices.length);
  if (capacity !== null && list.devices.length > 0 && units > capacity)
    errors["tranches"] =
      `The tranches have ${units} units together; the devices have ${capacity} GPU-hours in the window.`;

  if (Object.keys(errors).length > 0 || start === null || end === null || expires === null)
    return { body: null, errors };
  return {
    errors: null,
    body: {
      name,
      gpu_class: gpuClass,
      site,
      window_start: rfc3339(start),
      window_end: rfc3339(end),
      expires_at: rfc3339(expires),
      epoch_length_s: Number(fields.epochLengthS),
      promised_availability_ppm: availability ?? 0,
      fee_bps: fee ?? 0,
      attester_fee_bps: attesterFee ?? 0,
      patience_s: patienceS(fields),
      seal_s: sealS(fields) ?? 0,
      long_stop_s: secondsOfDays(fields.longStopDays) ?? 0,
      silence: fields.silence,
      unsigned: fields.unsigned,
      tranches,
      devices: list.devices,
    },
  };
}
