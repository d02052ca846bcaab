/** What the pages of events ask of the service. */

import { useQuery } from "@tanstack/react-query";
import { ApiProblem, type Schemas, api, dataOf } from "../../../api/client";
import type { MeterEvent } from "./eventForms";
import type { Search } from "./eventSearch";
import type { Preview } from "./previewText";

export type Logged = Schemas["LoggedEventOut"];

const path = (facilityId: number) => ({ path: { facility_id: facilityId } });
const BATCH = { "Content-Type": "application/cloudevents-batch+json" };

/** A page of accepted events. */
export function useEvents(facilityId: number, search: Search) {
  return useQuery({
    queryKey: ["console", facilityId, "events", search],
    queryFn: () =>
      dataOf(
        api.GET("/v1/console/facilities/{facility_id}/events", {
          params: { ...path(facilityId), query: search },
        }),
      ),
    placeholderData: (before) => before,
  });
}

/** What an event would change. Nothing is recorded. */
export function previewEvent(facilityId: number, event: MeterEvent): Promise<Preview> {
  return dataOf(
    api.POST("/v1/console/facilities/{facility_id}/events/preview", {
      params: path(facilityId),
      headers: BATCH,
      body: [event] as never,
    }),
  );
}

/** Sends an event. Raises ApiProblem where it is rejected. */
export async function sendEvent(event: MeterEvent): Promise<void> {
  const sent = await dataOf(api.POST("/v1/events", { headers: BATCH, body: [event] as never }));
  const [result] = sent.results;
  if (result?.status === "rejected")
    throw new ApiProblem(409, result.code ?? "event_rejected", result.detail ?? "", null);
}
