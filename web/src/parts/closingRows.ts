/** What a closing gave to whom, and what it left owed, as rows of a table. */

import type { Schemas } from "../api/client";
import type { ClaimsFacts } from "../chain/facts/lockbox";
import { trancheName } from "../format/tranche";

export interface ClosingRow {
  who: string;
  gotMicros: bigint;
  /** Null for the operator, which has no claim. */
  owedMicros: bigint | null;
}

/** Rows by rank: units, vouchers where there are any, the treasury and the operator. */
export function closingRows(closing: Schemas["ClosingOut"], claims: ClaimsFacts): ClosingRow[] {
  const byRank = (name: string, got: readonly number[], owed: readonly bigint[]) =>
    got.map((micros, rank) => ({
      who: `${name} of ${trancheName(rank, got.length)}`,
      gotMicros: BigInt(micros),
      owedMicros: owed[rank] ?? 0n,
    }));
  const vouchers = byRank("Vouchers", closing.to_vouchers_micros, claims.vouchersMicros);
  const treasury = {
    who: "Treasury: the fee on missing hours",
    gotMicros: BigInt(closing.to_treasury_micros),
    owedMicros: claims.treasuryMicros,
  };
  const open = (row: { gotMicros: bigint; owedMicros: bigint }) =>
    row.gotMicros > 0n || row.owedMicros > 0n;
  return [
    ...byRank("Units", closing.to_units_micros, claims.unitsMicros),
    ...vouchers.filter(open),
    ...[treasury].filter(open),
    { who: "Operator: the rest", gotMicros: BigInt(closing.to_operator_micros), owedMicros: null },
  ];
}
