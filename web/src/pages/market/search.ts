/** The market's filters, sorting and page as the address's search: shareable, and kept by the back button. */

import type { Schemas } from "../../api/client";
import { FACILITY_STATES, type FacilityState } from "../../generated/states";

type SortBy = Schemas["SortBy"];
type Order = Schemas["Order"];

const SORTS: readonly SortBy[] = [
  "name",
  "window_start",
  "units_left",
  "price",
  "utilisation",
  "paid_per_unit",
];
export const PAGE_SIZES = [25, 50, 100, 200] as const;
const PAGE_SIZE = 50;
const LONGEST = 80;

export interface MarketSearch {
  q: string;
  gpu_class: string;
  site: string;
  operator: string;
  state: FacilityState | "";
  sort: SortBy;
  order: Order;
  offset: number;
  limit: number;
}

export const EVERYTHING: MarketSearch = {
  q: "",
  gpu_class: "",
  site: "",
  operator: "",
  state: "",
  // Newest first: what is on sale stands above what was delivered long ago.
  sort: "window_start",
  order: "desc",
  offset: 0,
  limit: PAGE_SIZE,
};

/** Plain text that the service takes as a filter: without control characters, at most 80 long. */
export function plain(text: string | null): string {
  return (text ?? "").replaceAll(/[\u0000-\u001f\u007f]/g, "").slice(0, LONGEST);
}

function among<T extends string>(text: string | null, known: readonly T[]): T | null {
  return known.find((one) => one === text) ?? null;
}

/** The search of an address. What it cannot mean is ignored: an old or mistyped link still shows the market. */
export function searchOf(params: URLSearchParams): MarketSearch {
  const operator = params.get("operator") ?? "";
  const limit = PAGE_SIZES.find((size) => String(size) === params.get("limit")) ?? PAGE_SIZE;
  const offset = /^\d{1,9}$/.test(params.get("offset") ?? "") ? Number(params.get("offset")) : 0;
  return {
    q: plain(params.get("q")),
    gpu_class: plain(params.get("gpu_class")),
    site: plain(params.get("site")),
    operator: /^0x[0-9a-fA-F]{40}$/.test(operator) ? operator : "",
    state: among(params.get("state"), FACILITY_STATES) ?? "",
    sort: among(params.get("sort"), SORTS) ?? EVERYTHING.sort,
    order: among(params.get("order"), ["asc", "desc"]) ?? EVERYTHING.order,
    // Pages begin at multiples of their size, so that no row is on two of them.
    offset: offset - (offset % limit),
    limit,
  };
}

/** The address's search, with only what differs from everything in its usual order. */
export function paramsOf(search: MarketSearch): URLSearchParams {
  const params = new URLSearchParams();
  for (const key of Object.keys(EVERYTHING) as (keyof MarketSearch)[]) {
    if (search[key] !== EVERYTHING[key]) params.set(key, String(search[key]));
  }
  return params;
}

/** The filters alone, as the service takes them. */
export function filtersOf(search: MarketSearch) {
  return {
    ...(search.q.trim() !== "" && { q: search.q.trim() }),
    ...(search.gpu_class !== "" && { gpu_class: search.gpu_class }),
    ...(search.site !== "" && { site: search.site }),
    ...(search.operator !== "" && { operator: search.operator }),
    ...(search.state !== "" && { state: search.state }),
  };
}

/** Whether any filter is set. */
export function isFiltered(search: MarketSearch): boolean {
  return Object.keys(filtersOf(search)).length > 0;
}

/** Address of the same rows as CSV: all pages of them. */
export function csvAddress(search: MarketSearch): string {
  const params = new URLSearchParams({ ...filtersOf(search) });
  params.set("sort", search.sort);
  params.set("order", search.order);
  return `/v1/tranches.csv?${params.toString()}`;
}

/** The search after pressing the head of a column: that column, and the other way round at a second press. */
export function sortedBy(search: MarketSearch, sort: SortBy): MarketSearch {
  const order: Order = search.sort !== sort ? "asc" : search.order === "asc" ? "desc" : "asc";
  return { ...search, sort, order, offset: 0 };
}
