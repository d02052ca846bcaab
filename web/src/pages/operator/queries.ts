/** What the console asks of the service. */

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { ApiProblem, type Schemas, api, dataOf } from "../../api/client";

export type ConsoleFacility = Schemas["ConsoleFacility"];
export type ConsoleTask = Schemas["TaskOut"];
export type Lease = Schemas["ConsoleLease"];
export type Device = Schemas["ConsoleDevice"];
export type Replacement = Schemas["ReplacementOut"];
export type FacilityTerms = Schemas["FacilityOut"];
export type Epoch = Schemas["EpochOut"];
export type FacilityLog = Schemas["FacilityLogOut"];
export type LogKey = Schemas["LogKeyOut"];

const LIVE = 5_000;
/** Rows of a page of long lists. */
export const PAGE = 50;

const path = (facilityId: number) => ({ path: { facility_id: facilityId } });

/** The overview. An ended session is noticed here first: it sends the page back to sign-in. */
export function useConsole() {
  const queries = useQueryClient();
  const found = useQuery({
    queryKey: ["console"],
    queryFn: () => dataOf(api.GET("/v1/console")),
    refetchInterval: LIVE,
  });
  const ended = found.error instanceof ApiProblem && found.error.status === 401;
  useEffect(() => {
    if (ended) void queries.invalidateQueries({ queryKey: ["session"] });
  }, [ended, queries]);
  return found;
}

/** Steps that the service could not take yet for the operator's facilities. */
export function useSteps() {
  return useQuery({
    queryKey: ["console", "queue"],
    queryFn: () => dataOf(api.GET("/v1/console/queue")),
    refetchInterval: LIVE,
  });
}

/** Public facts of a facility: pledge, epochs, settlement token. */
export function useFacility(facilityId: number) {
  return useQuery({
    queryKey: ["console", facilityId, "facility"],
    queryFn: () => dataOf(api.GET("/v1/facilities/{facility_id}", { params: path(facilityId) })),
    refetchInterval: 30_000,
  });
}

/** The statement of an epoch as the service closed it; null before that. */
export function useStatement(facilityId: number, epoch: number) {
  return useQuery({
    queryKey: ["console", facilityId, "statement", epoch],
    queryFn: async () => {
      try {
        const params = { path: { facility_id: facilityId, epoch } };
        return await dataOf(api.GET("/v1/facilities/{facility_id}/epochs/{epoch}", { params }));
      } catch (error) {
        if (error instanceof ApiProblem && error.status === 404) return null;
        throw error;
      }
    },
    refetchInterval: LIVE,
  });
}

/** Number of the last statement in the books, which may be the closing one; null while there is none. */
export function useLastStatement(facilityId: number) {
  return useQuery({
    queryKey: ["console", facilityId, "statements", "last"],
    queryFn: async () => {
      const query = { order: "desc" as const, offset: 0, limit: 1 };
      const params = { ...path(facilityId), query };
      const found = await dataOf(api.GET("/v1/facilities/{facility_id}/statements", { params }));
      return found.statements[0]?.epoch ?? null;
    },
  });
}

/** All facilities of the service, with their terms. */
export function useFacilities(wanted: boolean) {
  return useQuery({
    queryKey: ["console", "facilities"],
    queryFn: () => dataOf(api.GET("/v1/facilities")),
    enabled: wanted,
    refetchInterval: 30_000,
  });
}

export function useOffer(facilityId: number, wanted: boolean) {
  return useQuery({
    queryKey: ["console", facilityId, "offer"],
    queryFn: () =>
      dataOf(api.GET("/v1/console/facilities/{facility_id}/offer", { params: path(facilityId) })),
    enabled: wanted,
    staleTime: Infinity,
  });
}

export function useDevices(facilityId: number) {
  return useQuery({
    queryKey: ["console", facilityId, "devices"],
    queryFn: () =>
      dataOf(api.GET("/v1/console/facilities/{facility_id}/devices", { params: path(facilityId) })),
    refetchInterval: LIVE,
  });
}

/** Replacements that were asked for, in that order. */
export function useReplacements(facilityId: number) {
  return useQuery({
    queryKey: ["console", facilityId, "replacements"],
    queryFn: () =>
      dataOf(api.GET("/v1/facilities/{facility_id}/replacements", { params: path(facilityId) })),
    refetchInterval: LIVE,
  });
}

export function useRejections(facilityId: number, offset: number) {
  return useQuery({
    queryKey: ["console", facilityId, "rejections", offset],
    queryFn: () =>
      dataOf(
        api.GET("/v1/console/facilities/{facility_id}/rejections", {
          params: { ...path(facilityId), query: { offset, limit: PAGE } },
        }),
      ),
    refetchInterval: LIVE,
    placeholderData: (before) => before,
  });
}

/** Where the facility's log stands now. */
export function useLog(facilityId: number) {
  return useQuery({
    queryKey: ["console", facilityId, "log"],
    queryFn: () =>
      dataOf(api.GET("/v1/facilities/{facility_id}/log", { params: path(facilityId) })),
    refetchInterval: LIVE,
  });
}

/** Keys that sign in the facility's log, and when each did last. */
export function useLogKeys(facilityId: number) {
  return useQuery({
    queryKey: ["console", facilityId, "log", "keys"],
    queryFn: () =>
      dataOf(api.GET("/v1/facilities/{facility_id}/log/keys", { params: path(facilityId) })),
    refetchInterval: LIVE,
  });
}

export function useLeases(facilityId: number) {
  return useQuery({
    queryKey: ["console", facilityId, "leases"],
    queryFn: () =>
      dataOf(api.GET("/v1/console/facilities/{facility_id}/leases", { params: path(facilityId) })),
    refetchInterval: LIVE,
  });
}

/** What attesters refused of a facility, newest epoch first. */
export function useRefusals(facilityId: number) {
  return useQuery({
    queryKey: ["console", facilityId, "refusals"],
    queryFn: () =>
      dataOf(
        api.GET("/v1/facilities/{facility_id}/refusals", {
          params: { ...path(facilityId), query: { limit: PAGE } },
        }),
      ),
    refetchInterval: 30_000,
  });
}

export function useEpochs(facilityId: number, offset: number) {
  return useQuery({
    queryKey: ["console", facilityId, "epochs", offset],
    queryFn: () =>
      dataOf(
        api.GET("/v1/console/facilities/{facility_id}/epochs", {
          params: { ...path(facilityId), query: { offset, limit: PAGE } },
        }),
      ),
    refetchInterval: LIVE,
    placeholderData: (before) => before,
  });
}

export function useRent(facilityId: number) {
  return useQuery({
    queryKey: ["console", facilityId, "rent"],
    queryFn: () =>
      dataOf(api.GET("/v1/console/facilities/{facility_id}/rent", { params: path(facilityId) })),
    refetchInterval: LIVE,
  });
}

export function useBills(facilityId: number) {
  return useQuery({
    queryKey: ["console", facilityId, "bills"],
    queryFn: () =>
      dataOf(api.GET("/v1/console/facilities/{facility_id}/bills", { params: path(facilityId) })),
    refetchInterval: LIVE,
  });
}

/** The bond; null where none was agreed. */
export function useBond(facilityId: number) {
  return useQuery({
    queryKey: ["console", facilityId, "bond"],
    queryFn: async () => {
      try {
        return await dataOf(
          api.GET("/v1/console/facilities/{facility_id}/bond", { params: path(facilityId) }),
        );
      } catch (error) {
        if (error instanceof ApiProblem && error.code === "bond_unknown") return null;
        throw error;
      }
    },
    refetchInterval: LIVE,
  });
}

/** The newest disclosure of what the devices cost; null if none. Investors read the same. */
export function useHardware(facilityId: number) {
  const tokenId = (BigInt(facilityId) << 8n).toString();
  return useQuery({
    queryKey: ["console", facilityId, "hardware"],
    queryFn: async () => {
      const params = { path: { token_id: tokenId } };
      return (await dataOf(api.GET("/v1/tranches/{token_id}", { params }))).risk.hardware;
    },
  });
}

/** A change of a facility; what the console shows of it is asked again. */
export function useChange<Body, Answer>(change: (body: Body) => Promise<Answer>) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: change,
    onSuccess: () => queries.invalidateQueries({ queryKey: ["console"] }),
  });
}
