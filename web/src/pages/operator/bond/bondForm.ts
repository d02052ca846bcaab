/** The form that agrees a bond, as terms that the contract takes. */

import { parseMoney, parseUnits } from "../../../format/money";
import type { FieldErrors } from "../launch/offerForm";

// IBondVault.BondTerms: the widths of its fields.
const MAX_MINIMUM = 1n << 96n;
const MAX_PRICE = 1n << 64n;
const MAX_GRACE_S = 1n << 32n;
const MAX_EPOCHS = 1n << 16n;

export interface BondFields {
  minimum: string;
  price: string;
  graceHours: string;
  epochs: string;
}

export interface BondTerms {
  requiredBond: bigint;
  ratePerGpuHour: bigint;
  graceSeconds: number;
  defaultAfterEpochs: number;
}

export const BOND_DEFAULTS: BondFields = { minimum: "", price: "", graceHours: "24", epochs: "3" };

/** Terms of a bond, null while a field is missing or too large for the contract; and which texts are no number. */
export function bondTerms(fields: BondFields): { terms: BondTerms | null; errors: FieldErrors } {
  const minimum = parseMoney(fields.minimum);
  const price = parseMoney(fields.price);
  const hours = parseUnits(fields.graceHours);
  const epochs = parseUnits(fields.epochs);
  const errors: FieldErrors = {};
  const check = (key: keyof BondFields, value: bigint | null, why: string) => {
    if (fields[key].trim() !== "" && value === null) errors[key] = why;
  };
  check("minimum", minimum, "An amount with at most 6 decimals.");
  check("price", price, "An amount with at most 6 decimals.");
  check("graceHours", hours, "Whole hours.");
  check("epochs", epochs, "A whole number.");
  if (minimum === null || price === null || hours === null || epochs === null)
    return { terms: null, errors };
  const graceS = hours * 3_600n;
  // The contract takes a bond without a minimum or one without a price, but not without both.
  const fits =
    minimum + price > 0n &&
    minimum < MAX_MINIMUM &&
    price < MAX_PRICE &&
    graceS < MAX_GRACE_S &&
    epochs < MAX_EPOCHS;
  return {
    terms: fits
      ? {
          requiredBond: minimum,
          ratePerGpuHour: price,
          graceSeconds: Number(graceS),
          defaultAfterEpochs: Number(epochs),
        }
      : null,
    errors,
  };
}
