import { NativeSelect } from "@mantine/core";
import type { MarketSearch } from "./search";

const ORDERS: readonly [MarketSearch["sort"], MarketSearch["order"], string][] = [
  ["window_start", "asc", "Window, earliest first"],
  ["window_start", "desc", "Window, latest first"],
  ["price", "asc", "Price, lowest first"],
  ["price", "desc", "Price, highest first"],
  ["units_left", "desc", "Most units left"],
  ["units_left", "asc", "Fewest units left"],
  ["utilisation", "desc", "Utilisation, highest first"],
  ["utilisation", "asc", "Utilisation, lowest first"],
  ["paid_per_unit", "desc", "Paid per unit, highest first"],
  ["paid_per_unit", "asc", "Paid per unit, lowest first"],
  ["name", "asc", "Name, A to Z"],
  ["name", "desc", "Name, Z to A"],
];

/** Sorting where there are no heads of columns to press. */
export function SortSelect({
  search,
  onChange,
}: {
  search: MarketSearch;
  onChange: (next: MarketSearch) => void;
}) {
  return (
    <NativeSelect
      size="xs"
      aria-label="Sort by"
      value={`${search.sort} ${search.order}`}
      data={ORDERS.map(([sort, order, label]) => ({ value: `${sort} ${order}`, label }))}
      onChange={(event) => {
        const chosen = ORDERS.find(
          ([sort, order]) => `${sort} ${order}` === event.currentTarget.value,
        );
        if (chosen !== undefined)
          onChange({ ...search, sort: chosen[0], order: chosen[1], offset: 0 });
      }}
    />
  );
}
