/** What the market asks the service. */

import { keepPreviousData, queryOptions, useQuery } from "@tanstack/react-query";
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
