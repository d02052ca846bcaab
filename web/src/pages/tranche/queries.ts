/** What the page of a tranche asks the service. */

import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { type Schemas, api, dataOf } from "../../api/client";

export type Tranche = Schemas["TrancheOut"];
export type Point = Schemas["PointOut"];
export type WaterfallMoney = Schemas["WaterfallOut"];
export type Statement = Schemas["StatementOut"];
export type Facility = Schemas["FacilityOut"];

const LIVE_MS = 5_000;
/** What changes once an epoch needs no quicker look. */
const SLOW_MS = 15_000;

const path = (tokenId: string) => ({ params: { path: { token_id: tokenId } } });

export function useTranche(tokenId: string) {
  return useQuery({
    queryKey: ["tranche", tokenId],
    queryFn: () => dataOf(api.GET("/v1/tranches/{token_id}", path(tokenId))),
    refetchInterval: LIVE_MS,
  });
}

/** The facility of a tranche: its panel of attesters, and whether they approved its devices. */
export function useFacility(facilityId: number) {
  return useQuery({
    queryKey: ["facility", facilityId],
    queryFn: () =>
      dataOf(
        api.GET("/v1/facilities/{facility_id}", { params: { path: { facility_id: facilityId } } }),
      ),
    refetchInterval: SLOW_MS,
  });
}

export function useSeries(tokenId: string) {
  return useQuery({
    queryKey: ["tranche", tokenId, "series"],
    queryFn: () => dataOf(api.GET("/v1/tranches/{token_id}/series", path(tokenId))),
    refetchInterval: SLOW_MS,
  });
}

export function useWaterfall(tokenId: string) {
  return useQuery({
    queryKey: ["tranche", tokenId, "waterfall"],
    queryFn: () => dataOf(api.GET("/v1/tranches/{token_id}/waterfall", path(tokenId))),
    refetchInterval: LIVE_MS,
  });
}

export function useHolders(tokenId: string, offset: number, limit: number) {
  return useQuery({
    queryKey: ["tranche", tokenId, "holders", offset, limit],
    queryFn: () =>
      dataOf(
        api.GET("/v1/tranches/{token_id}/holders", {
          params: { path: { token_id: tokenId }, query: { offset, limit } },
        }),
      ),
    placeholderData: keepPreviousData,
    refetchInterval: LIVE_MS,
  });
}

export function useDocuments(tokenId: string, offset: number, limit: number) {
  return useQuery({
    queryKey: ["tranche", tokenId, "documents", offset, limit],
    queryFn: () =>
      dataOf(
        api.GET("/v1/tranches/{token_id}/documents", {
          params: { path: { token_id: tokenId }, query: { offset, limit } },
        }),
      ),
    placeholderData: keepPreviousData,
    refetchInterval: SLOW_MS,
  });
}

/** A page of statements, newest first. */
export function useStatements(facilityId: number, offset: number, limit: number) {
  return useQuery({
    queryKey: ["facility", facilityId, "statements", offset, limit],
    queryFn: () =>
      dataOf(
        api.GET("/v1/facilities/{facility_id}/statements", {
          params: { path: { facility_id: facilityId }, query: { order: "desc", offset, limit } },
        }),
      ),
    placeholderData: keepPreviousData,
    refetchInterval: LIVE_MS,
  });
}
