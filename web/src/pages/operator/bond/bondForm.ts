/** The form that agrees a bond, as terms that the contract takes. */

import { money, parseMoney } from "../../../format/money";
import type { FieldErrors } from "../launch/offerForm";

// IBondVault.BondTerms: the widths of its fields.
const MAX_MINIMUM = 1n << 96n;
const MAX_PRICE = 1n << 64n;

const TOO_LARGE = "More than the contract can keep.";

export interface BondFields {
  minimum: string;
  price: string;
  /** What an hour is let for: compared with the price alone, and sent nowhere. */
  rent: string;
}

export interface BondTerms {
  requiredBond: bigint;
  ratePerGpuHour: bigint;
}

export const BOND_DEFAULTS: BondFields = { minimum: "", price: "", rent: "" };

/** Terms of a bond, null while a field is missing or too large for the contract; and which texts are no number. */
export function bondTerms(fields: BondFields): { terms: BondTerms | null; errors: FieldErrors } {
  const minimum = parseMoney(fields.minimum);
  const price = parseMoney(fields.price);
  const errors: FieldErrors = {};
  const check = (key: keyof BondFields, value: bigint | null) => {
    if (fields[key].trim() !== "" && value === null)
      errors[key] = "An amount with at most 6 decimals, such as 2.50.";
  };
  check("minimum", minimum);
  check("price", price);
  check("rent", parseMoney(fields.rent));
  const fits = minimum !== null && price !== null && minimum < MAX_MINIMUM && price < MAX_PRICE;
  if (minimum !== null && minimum >= MAX_MINIMUM) errors["minimum"] = TOO_LARGE;
  if (price !== null && price >= MAX_PRICE) errors["price"] = TOO_LARGE;
  return { terms: fits ? { requiredBond: minimum, ratePerGpuHour: price } : null, errors };
}

/** What to think of before such a price of a missing hour is agreed for good; null if nothing is. */
export function warningOfPrice(fields: BondFields): string | null {
  const price = parseMoney(fields.price);
  const rent = parseMoney(fields.rent);
  if (price === null) return null;
  if (price === 0n)
    return "An hour that is not delivered would cost nothing: holders get nothing for it, units give no compute, and no sale can open unless all proceeds are up front.";
  if (rent === null || price <= rent) return null;
  return `${money(price)} for a missing hour is more than the ${money(rent)} that it is let for: a default would pay holders more than performance.`;
}
