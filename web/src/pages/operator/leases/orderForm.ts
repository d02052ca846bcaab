/** The form of a delivery order, as what is signed. */

import { type Address, type Hex, getAddress, isAddress } from "viem";
import type { DeliveryOrder } from "../../../chain/order";
import { parseUnits } from "../../../format/money";
import { utcInput, utcSeconds } from "../forms/numbers";
import type { FieldErrors } from "../launch/offerForm";

const DAY_S = 86_400;
const WEEK_S = 7 * DAY_S;

export interface OrderFields {
  holder: string;
  seniority: string;
  units: string;
  deadline: string;
}

/** An order counts for a week unless another day is chosen; never past the window. */
export function orderDefaults(nowS: number, windowEndS: number): OrderFields {
  const deadline = utcInput(Math.floor(Math.min(nowS + WEEK_S, windowEndS) / 60) * 60);
  return { holder: "", seniority: "0", units: "", deadline };
}

/** The order; null while a field is missing or wrong, and which texts are wrong. */
export function orderOf(
  fields: OrderFields,
  of: { facilityId: bigint; lease: Hex; nonce: bigint; nowS: number },
): { order: DeliveryOrder | null; errors: FieldErrors } {
  const errors: FieldErrors = {};
  const text = fields.holder.trim();
  let holder: Address | null = null;
  if (isAddress(text, { strict: false })) holder = getAddress(text);
  else if (text !== "") errors["holder"] = "An address is 0x and 40 hexadecimal digits.";
  const units = parseUnits(fields.units);
  if (fields.units.trim() !== "" && (units === null || units === 0n))
    errors["units"] = "A whole number above 0.";
  const deadline = utcSeconds(fields.deadline);
  if (deadline === null || deadline <= of.nowS) errors["deadline"] = "Choose a time to come.";
  const wrong = Object.keys(errors).length > 0;
  if (wrong || holder === null || units === null || deadline === null) {
    return { order: null, errors };
  }
  const id = (of.facilityId << 8n) | BigInt(fields.seniority);
  const { lease, nonce } = of;
  return { order: { holder, id, units, lease, nonce, deadline: BigInt(deadline) }, errors };
}
