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

/** Parts in which books are made ready at most: each is some seconds of work. */
const MOST_PARTS = 100;

/** Asks for a preview, and again while the books are made ready for it, part by part. */
export async function ready(ask: () => Promise<Preview>): Promise<Preview> {
  let found = await ask();
  for (let part = 1; part < MOST_PARTS && found.unforeseen === "preparing"; part += 1)
    found = await ask();
  return found;
}

/** What an event would change. Nothing is recorded. */
export function previewEvent(facilityId: number, event: MeterEvent): Promise<Preview> {
  const asked = { params: path(facilityId), headers: BATCH, body: [event] as never };
  return ready(() =>
    dataOf(api.POST("/v1/console/facilities/{facility_id}/events/preview", asked)),
  );
}

/** What a price of a lease would change. */
export function previewPrice(
  facilityId: number,
  leaseId: string,
  body: Schemas["PriceIn"],
): Promise<Preview> {
  const params = { path: { facility_id: facilityId, lease_id: leaseId } };
  const place = "/v1/console/facilities/{facility_id}/leases/{lease_id}/prices/preview";
  return ready(() => dataOf(api.POST(place, { params, body })));
}

/** Sends an event. Raises ApiProblem where it is rejected. */
export async function sendEvent(event: MeterEvent): Promise<void> {
  const sent = await dataOf(api.POST("/v1/events", { headers: BATCH, body: [event] as never }));
  const [result] = sent.results;
  if (result?.status === "rejected")
    throw new ApiProblem(409, result.code ?? "event_rejected", result.detail ?? "", null);
}
