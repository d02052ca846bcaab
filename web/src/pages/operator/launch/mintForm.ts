/** The form that mints units, as the call that the contract takes. */

import type { Address } from "viem";
import { parseAccount } from "../../../chain/account";
import { grouped, parseUnits } from "../../../format/money";
import type { TrancheFacts } from "../chainFacts";

export interface MintFields {
  /** Seniority of the tranche. */
  tranche: string;
  holder: string;
  units: string;
}

export interface Mint {
  /** Null while the form does not name an account. */
  holder: Address | null;
  /** What to send; null while a field is missing or wrong. */
  args: readonly [Address, bigint, bigint] | null;
  errors: { holder?: string; units?: string };
}

export const MINT_BLANK: MintFields = { tranche: "0", holder: "", units: "" };

export const unitsLeft = ({ capUnits, supplyUnits }: TrancheFacts): bigint =>
  capUnits - supplyUnits;

/** Arguments of `mint`, and what is wrong with what was typed; nothing is wrong with an empty field. */
export function mintOf(fields: MintFields, tranches: readonly TrancheFacts[]): Mint {
  const tranche = tranches[Number(fields.tranche)];
  const holder = parseAccount(fields.holder);
  const units = parseUnits(fields.units);
  const left = tranche === undefined ? 0n : unitsLeft(tranche);
  const errors: Mint["errors"] = {};
  if (fields.holder.trim() !== "" && holder === null) errors.holder = "Not an address.";
  if (fields.units.trim() !== "") {
    if (units === null || units === 0n) errors.units = "Whole units, at least 1.";
    else if (units > left) errors.units = `Only ${grouped(left)} units are left.`;
  }
  const ready =
    tranche !== undefined && holder !== null && units !== null && units > 0n && units <= left;
  return { holder, args: ready ? [holder, tranche.id, units] : null, errors };
}
