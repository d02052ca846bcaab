/** Forms about events as CloudEvents, as a collector would send them. */

import { parseMoney } from "../../../format/money";
import { jsonInteger, rfc3339, utcInput, utcSeconds } from "../forms/numbers";
import type { FieldErrors } from "../launch/offerForm";
import type { Made } from "../leases/leaseForms";

const AVAILABILITY = "rentroll.gpu.availability.v1";
const CORRECTION = "rentroll.gpu.correction.v1";
const ADJUSTMENT = "rentroll.lease.adjustment.v1";
const LEASE_OPENED = "rentroll.lease.opened.v1";
const LEASE_CLOSED = "rentroll.lease.closed.v1";
/** Source of events that people send from the console. */
export const SOURCE = "rentroll:console";
const MAX_REASON = 200;
const MAX_AMOUNT = 10n ** 12n;

/** A CloudEvent. */
export interface MeterEvent {
  specversion: "1.0";
  id: string;
  source: string;
  type: string;
  data: Record<string, unknown>;
}

/** Which event is meant. */
export interface Target {
  source: string;
  id: string;
}

/** An id that no other event has. It is made once: what is sent again is the same event. */
export function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function eventOf(type: string, facilityId: number, data: Record<string, unknown>): MeterEvent {
  const named = { facility_id: facilityId, ...data };
  return { specversion: "1.0", id: newId(), source: SOURCE, type, data: named };
}

function reasonOf(text: string, errors: FieldErrors, needed = false): string {
  const value = text.trim();
  if (value.length > MAX_REASON) errors["reason"] = `At most ${MAX_REASON} characters.`;
  if (needed && value === "") errors["reason"] = "Say why, for whoever asks later.";
  return value;
}

function timeOf(text: string, field: string, errors: FieldErrors): number {
  const value = utcSeconds(text);
  if (value === null) errors[field] = "Choose a day and a time.";
  return value ?? 0;
}

function made(errors: FieldErrors, body: () => MeterEvent): Made<MeterEvent> {
  return Object.keys(errors).length > 0 ? { body: null, errors } : { body: body(), errors: null };
}

/** The name alone of an event that is known by more. */
const nameOf = ({ source, id }: Target): Target => ({ source, id });

/** Takes an event back. */
export function voidEvent(facilityId: number, corrects: Target, why: string): Made<MeterEvent> {
  const errors: FieldErrors = {};
  const reason = reasonOf(why, errors);
  const data = { corrects: nameOf(corrects), action: "void", ...(reason !== "" && { reason }) };
  return made(errors, () => eventOf(CORRECTION, facilityId, data));
}

/** Time of a device that people type: usage of a lease, or an outage. */
export interface TimeFields {
  what: string;
  device: string;
  lease: string;
  cause: string;
  start: string;
  end: string;
  reason: string;
}

interface Logged {
  type: string;
  payload: { [key: string]: unknown };
  time: { kind: string; start_s: number; until_s: number } | null;
}

/** What an event says, to be put right in a form. */
export function timeFieldsOf(event: Logged): TimeFields {
  const sent = (event.payload["data"] ?? {}) as Record<string, unknown>;
  const data = (sent["replacement"] ?? sent) as Record<string, unknown>;
  const text = (name: string) => (typeof data[name] === "string" ? data[name] : "");
  const kind = event.time?.kind ?? "usage";
  return {
    what: kind === "outage" || kind === "planned" ? "outage" : kind,
    device: text("device"),
    lease: text("lease"),
    cause: kind === "planned" ? "planned" : "fault",
    start: event.time === null ? "" : utcInput(event.time.start_s),
    end: event.time === null ? "" : utcInput(event.time.until_s),
    reason: "",
  };
}

function timeData(fields: TimeFields, errors: FieldErrors): Record<string, unknown> {
  const start = timeOf(fields.start, "start", errors);
  const end = timeOf(fields.end, "end", errors);
  if (errors["end"] === undefined && end <= start) errors["end"] = "It ends after it begins.";
  const device = fields.device.trim();
  if (device === "") errors["device"] = "Name the device.";
  const lease = fields.lease.trim();
  const data = { device, start: rfc3339(start), end: rfc3339(end) };
  if (fields.what === "outage")
    return { ...data, cause: fields.cause, ...(lease !== "" && { lease }) };
  if (lease === "") errors["lease"] = "Name the lease.";
  const kind = fields.what === "delivery" ? { kind: "delivery" } : {};
  return { ...data, lease, gpu_seconds: end - start, ...kind };
}

/** Puts another use or outage in the place of an event: one event, taken whole or not at all. */
export function replaceEvent(
  facilityId: number,
  corrects: Target,
  fields: TimeFields,
): Made<MeterEvent> {
  const errors: FieldErrors = {};
  const replacement = timeData(fields, errors);
  const reason = reasonOf(fields.reason, errors);
  const named = nameOf(corrects);
  const data = {
    corrects: named,
    action: "replace",
    replacement,
    ...(reason !== "" && { reason }),
  };
  return made(errors, () => eventOf(CORRECTION, facilityId, data));
}

/** A device that could not be used. */
export function outageEvent(facilityId: number, fields: TimeFields): Made<MeterEvent> {
  const errors: FieldErrors = {};
  const data = timeData({ ...fields, what: "outage" }, errors);
  const reason = reasonOf(fields.reason, errors);
  return made(errors, () =>
    eventOf(AVAILABILITY, facilityId, { ...data, ...(reason !== "" && { reason }) }),
  );
}

export interface AdjustmentFields {
  lease: string;
  direction: string;
  amount: string;
  reason: string;
}

/** Money from a lease, or back to it. */
export function adjustmentEvent(facilityId: number, fields: AdjustmentFields): Made<MeterEvent> {
  const errors: FieldErrors = {};
  const lease = fields.lease.trim();
  if (lease === "") errors["lease_id"] = "Choose a lease.";
  const micros = parseMoney(fields.amount);
  const exact = micros === null || micros > MAX_AMOUNT ? null : jsonInteger(micros);
  if (exact === null || exact === 0)
    errors["amount"] = "An amount above zero with at most 6 decimals, up to 1,000,000.";
  const amount = (exact ?? 0) * (fields.direction === "back" ? -1 : 1);
  const data = { lease_id: lease, amount, reason: reasonOf(fields.reason, errors, true) };
  return made(errors, () => eventOf(ADJUSTMENT, facilityId, data));
}

/** The event behind a lease that is opened, or ended, with a request of its own. */
export const leaseOpened = (facilityId: number, body: object): MeterEvent =>
  eventOf(LEASE_OPENED, facilityId, { ...body });
export const leaseClosed = (facilityId: number, leaseId: string, body: object): MeterEvent =>
  eventOf(LEASE_CLOSED, facilityId, { lease_id: leaseId, ...body });
