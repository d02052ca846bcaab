/** What the market asks the service. */

import { keepPreviousData, queryOptions, useQueries, useQuery } from "@tanstack/react-query";
import { type Schemas, api, dataOf } from "../../api/client";
import { type MarketSearch, filtersOf } from "./search";

export type Row = Schemas["TrancheRowOut"];
export type Choices = Schemas["ChoicesOut"];

/** One page of tranches. */
export function tranchesQuery(search: MarketSearch) {
  const query = {
    ...filtersOf(search),
    sort: search.sort,
    order: search.order,
    offset: search.offset,
    limit: search.limit,
  };
  return queryOptions({
    queryKey: ["tranches", query],
    queryFn: () => dataOf(api.GET("/v1/tranches", { params: { query } })),
  });
}

/** One page of tranches, live; the page before stays in view until it is here. */
export function useTranches(search: MarketSearch) {
  return useQuery({
    ...tranchesQuery(search),
    placeholderData: keepPreviousData,
    refetchInterval: 5_000,
  });
}

/** Offered facilities among rows whose devices attesters have not approved: each is asked for once, and anew now and then. */
export function useUnapproved(rows: readonly Row[]): ReadonlySet<number> {
  const offered = rows.filter((row) => row.state === "offered").map((row) => row.facility_id);
  return useQueries({
    queries: [...new Set(offered)].map((facilityId) => ({
      queryKey: ["facility", facilityId],
      queryFn: () =>
        dataOf(
          api.GET("/v1/facilities/{facility_id}", {
            params: { path: { facility_id: facilityId } },
          }),
        ),
      refetchInterval: 15_000,
    })),
    combine: (found) =>
      new Set(
        found.flatMap(({ data }) =>
          data !== undefined && data.pledge.approved_at === null ? [data.facility_id] : [],
        ),
      ),
  });
}

/** How many tranches there are, whatever is filtered: asked for only while a page does not say it. */
export function useTrancheCount(enabled: boolean) {
  return useQuery({
    enabled,
    queryKey: ["tranches", "count"],
    queryFn: () => dataOf(api.GET("/v1/tranches", { params: { query: { limit: 1 } } })),
    select: (page) => page.total,
    refetchInterval: 30_000,
  });
}

export function useReconciliation() {
  return useQuery({
    queryKey: ["reconciliation"],
    queryFn: () => dataOf(api.GET("/v1/reconciliation")),
    // It adds up everything, so it is asked less often than the table.
    refetchInterval: 15_000,
  });
}
