/** What the auditor's pages ask of the service. What they ask of the chain is in reader.ts. */

import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { api, dataOf, type Schemas } from "../../api/client";

export type Reconciliation = Schemas["ReconciliationOut"];
export type StatementRow = Schemas["StatementOut"];
export type Facility = Schemas["FacilityOut"];
export type ApiLine = Schemas["LineOut"];
export type RestatedRow = Schemas["RestatedOut"];
export type Proof = Schemas["ProofOut"];

const LIVE = 5_000;

export function useReconciliation() {
  return useQuery({
    queryKey: ["reconciliation"],
    queryFn: () => dataOf(api.GET("/v1/reconciliation")),
    refetchInterval: LIVE,
  });
}

export function useAttesters() {
  return useQuery({
    queryKey: ["attesters"],
    queryFn: () => dataOf(api.GET("/v1/attesters")),
    refetchInterval: LIVE,
  });
}

export const fetchFacilities = () => dataOf(api.GET("/v1/facilities"));

export function useFacilities() {
  return useQuery({ queryKey: ["facilities"], queryFn: fetchFacilities, refetchInterval: LIVE });
}

export function useFacility(facilityId: number) {
  return useQuery({
    queryKey: ["facility", facilityId],
    queryFn: () =>
      dataOf(
        api.GET("/v1/facilities/{facility_id}", { params: { path: { facility_id: facilityId } } }),
      ),
  });
}

/** A page of a facility's statements, newest first: all, or those in one state. */
export function useStatements(
  facilityId: number,
  state: StatementRow["state"] | null,
  offset: number,
  limit: number,
) {
  return useQuery({
    queryKey: ["statements", facilityId, state, offset, limit],
    queryFn: () => {
      const query = { order: "desc" as const, offset, limit, ...(state === null ? {} : { state }) };
      const params = { path: { facility_id: facilityId }, query };
      return dataOf(api.GET("/v1/facilities/{facility_id}/statements", { params }));
    },
    refetchInterval: LIVE,
    placeholderData: keepPreviousData,
  });
}

/** Number of the last statement that is made, which may be the closing one; null while there is none. */
export function useLastStatement(facilityId: number) {
  return useQuery({
    queryKey: ["statements", facilityId, "last"],
    queryFn: async () => {
      const query = { order: "desc" as const, offset: 0, limit: 1 };
      const params = { path: { facility_id: facilityId }, query };
      const found = await dataOf(api.GET("/v1/facilities/{facility_id}/statements", { params }));
      return found.statements[0]?.epoch ?? null;
    },
    refetchInterval: LIVE,
  });
}

export function useStatement(facilityId: number, epoch: number) {
  return useQuery({
    queryKey: ["statement", facilityId, epoch],
    queryFn: () => {
      const params = { path: { facility_id: facilityId, epoch } };
      return dataOf(api.GET("/v1/facilities/{facility_id}/epochs/{epoch}", { params }));
    },
    refetchInterval: LIVE,
  });
}

/** What later statements put right of an epoch. */
export function useRestated(facilityId: number, epoch: number) {
  return useQuery({
    queryKey: ["restated", facilityId, epoch],
    queryFn: () => {
      const params = { path: { facility_id: facilityId, epoch } };
      return dataOf(api.GET("/v1/facilities/{facility_id}/epochs/{epoch}/restated", { params }));
    },
    refetchInterval: LIVE,
  });
}

export function useLines(facilityId: number, epoch: number, offset: number, limit: number) {
  return useQuery({
    queryKey: ["lines", facilityId, epoch, offset, limit],
    queryFn: () => {
      const params = { path: { facility_id: facilityId, epoch }, query: { offset, limit } };
      return dataOf(api.GET("/v1/facilities/{facility_id}/epochs/{epoch}/lines", { params }));
    },
    placeholderData: keepPreviousData,
  });
}

export function fetchProof(facilityId: number, epoch: number, index: number) {
  const params = { path: { facility_id: facilityId, epoch, index } };
  return dataOf(
    api.GET("/v1/facilities/{facility_id}/epochs/{epoch}/lines/{index}/proof", { params }),
  );
}

export function useProof(facilityId: number, epoch: number, index: number) {
  return useQuery({
    queryKey: ["proof", facilityId, epoch, index],
    queryFn: () => fetchProof(facilityId, epoch, index),
  });
}

/** Address of an evidence file. */
export function evidenceUrl(path: string): string {
  return `/v1/evidence/${path}`;
}

/** Bytes of an evidence file. Raises Error with a sentence for people. */
export async function evidenceBytes(path: string): Promise<Uint8Array> {
  const answer = await fetch(evidenceUrl(path));
  if (!answer.ok) throw new Error(`${path} cannot be read: the service answered ${answer.status}.`);
  return new Uint8Array(await answer.arrayBuffer());
}
