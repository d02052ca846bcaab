/** Forms about leases as request bodies. */

import type { Schemas } from "../../../api/client";
import { parseMoney, parseUnits } from "../../../format/money";
import { jsonInteger, rfc3339, utcSeconds } from "../forms/numbers";
import type { FieldErrors } from "../launch/offerForm";

type LeaseIn = Schemas["LeaseIn"];
export type Plan = LeaseIn["plan"];

export const PLANS: readonly { value: Plan; label: string }[] = [
  { value: "on_demand", label: "On demand" },
  { value: "spot", label: "Spot" },
  { value: "reserved", label: "Reserved" },
  { value: "take_or_pay", label: "Take or pay" },
];

export interface LeaseFields {
  leaseId: string;
  renterRef: string;
  plan: Plan;
  committed: string;
  max: string;
  openedAt: string;
  price: string;
}

export interface PriceFields {
  from: string;
  price: string;
}

export type Made<Body> = { body: Body; errors: null } | { body: null; errors: FieldErrors };

const MAX_PRICE = 10n ** 12n;

function priceOf(text: string, errors: FieldErrors): number {
  const value = parseMoney(text);
  if (value === null || value > MAX_PRICE)
    errors["price_micros_per_gpu_hour"] = "An amount with at most 6 decimals, up to 1,000,000.";
  return Number(value ?? 0n);
}

function timeOf(text: string, field: string, errors: FieldErrors): string {
  const value = utcSeconds(text);
  if (value === null) errors[field] = "Choose a day and a time.";
  return value === null ? "" : rfc3339(value);
}

function countOf(text: string, field: string, errors: FieldErrors): number {
  const value = text.trim() === "" ? 0n : parseUnits(text);
  const exact = value !== null && value <= 1_000_000n ? jsonInteger(value) : null;
  if (exact === null) errors[field] = "A whole number of GPUs.";
  return exact ?? 0;
}

function textOf(text: string, field: string, errors: FieldErrors): string {
  const value = text.trim();
  if (value === "" || value.length > 120) errors[field] = "1 to 120 characters.";
  return value;
}

function made<Body>(body: Body, errors: FieldErrors): Made<Body> {
  return Object.keys(errors).length > 0 ? { body: null, errors } : { body, errors: null };
}

/** A new lease. Only take-or-pay commits GPUs. */
export function leaseBody(fields: LeaseFields): Made<LeaseIn> {
  const errors: FieldErrors = {};
  const commits = fields.plan === "take_or_pay";
  const body: LeaseIn = {
    lease_id: textOf(fields.leaseId, "lease_id", errors),
    renter_ref: textOf(fields.renterRef, "renter_ref", errors),
    plan: fields.plan,
    committed_gpus: commits ? countOf(fields.committed, "committed_gpus", errors) : 0,
    max_gpus: countOf(fields.max, "max_gpus", errors),
    opened_at: timeOf(fields.openedAt, "opened_at", errors),
    price_micros_per_gpu_hour: priceOf(fields.price, errors),
  };
  if (commits && body.committed_gpus === 0)
    errors["committed_gpus"] ??= "A take-or-pay lease commits at least one GPU.";
  return made(body, errors);
}

/** A price from an instant on, also one that is past. */
export function priceBody(fields: PriceFields): Made<Schemas["PriceIn"]> {
  const errors: FieldErrors = {};
  const body = {
    effective_from: timeOf(fields.from, "effective_from", errors),
    price_micros_per_gpu_hour: priceOf(fields.price, errors),
  };
  return made(body, errors);
}

/** The end of a lease. */
export function closeBody(at: string): Made<Schemas["CloseIn"]> {
  const errors: FieldErrors = {};
  return made({ closed_at: timeOf(at, "closed_at", errors) }, errors);
}

/** What the devices cost, as disclosed to investors. */
export function hardwareBody(cost: string, since: string): Made<Schemas["HardwareIn"]> {
  const errors: FieldErrors = {};
  const value = parseMoney(cost);
  const exact = value === null || value === 0n ? null : jsonInteger(value);
  if (exact === null) errors["cost_micros_per_device"] = "An amount above zero.";
  return made(
    {
      cost_micros_per_device: exact ?? 0,
      in_service_at: timeOf(since, "in_service_at", errors),
    },
    errors,
  );
}
