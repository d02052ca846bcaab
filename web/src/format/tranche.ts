/** Names of tranches, as the waterfall pays them. */

const RANKS = { first: "senior", between: "mezzanine", last: "junior" };

export interface Named {
  facility_name: string;
  seniority: number;
  tranche_count: number;
}

/** `tranche 0 (senior)`; the number alone where a facility has one tranche, or it is not known how many. */
export function trancheName(seniority: number, count?: number): string {
  const name = `tranche ${seniority}`;
  if (count === undefined || count === 1) return name;
  if (seniority === 0) return `${name} (${RANKS.first})`;
  return `${name} (${seniority === count - 1 ? RANKS.last : RANKS.between})`;
}

/** `dusk, tranche 1 (junior)`: a row of a list, by its facility's name. */
export function nameInFacility(row: Named): string {
  return `${row.facility_name}, ${trancheName(row.seniority, row.tranche_count)}`;
}

/** Name of one of some rows by its token id; undefined where none has it. */
export function nameAmong(
  rows: readonly (Named & { token_id: string })[],
  tokenId: string,
): string | undefined {
  const row = rows.find((candidate) => candidate.token_id === tokenId);
  return row && nameInFacility(row);
}
