/** Files of leases and devices: read by the service, row by row, as the command line reads them. */

import { ApiProblem, type Schemas, api, dataOf } from "../../../api/client";

export type LeaseFile = Schemas["LeaseFileOut"];
export type DeviceFile = Schemas["DeviceFileOut"];
export type RefusedRow = Schemas["RefusedRowOut"];
export type Result = Schemas["EventResultOut"];

const BATCH = { "Content-Type": "application/cloudevents-batch+json" };

/** The file's bytes as they are, plain or gzip. Raises ApiProblem where it is no more what was chosen. */
async function csvBody(file: File) {
  let bytes: ArrayBuffer;
  try {
    bytes = await file.arrayBuffer();
  } catch {
    const detail = "The file changed since it was chosen, or is gone: choose it again.";
    throw new ApiProblem(0, "file_changed", detail, "file");
  }
  return {
    headers: { "Content-Type": "text/csv" },
    // The document says text; the bytes may be gzip.
    body: bytes as unknown as string,
    bodySerializer: (body: string) => body,
  };
}

export interface CheckedLeases {
  file: LeaseFile;
  /** What would be answered to the event of each row. */
  results: readonly Result[];
}

/** Reads a file of leases and asks what would become of it. Nothing is recorded. */
export async function checkLeases(
  facilityId: number,
  file: File,
  timezone: string,
): Promise<CheckedLeases> {
  const params = { path: { facility_id: facilityId }, query: timezone === "" ? {} : { timezone } };
  const read = await dataOf(
    api.POST("/v1/console/facilities/{facility_id}/leases/read", {
      params,
      ...(await csvBody(file)),
    }),
  );
  const events = read.rows.map((row) => row.event);
  if (events.length === 0) return { file: read, results: [] };
  const checked = await dataOf(
    api.POST("/v1/events/check", { headers: BATCH, body: events as never }),
  );
  return { file: read, results: checked.results };
}

/** Sends events of rows; each is answered by itself. */
export async function sendLeases(events: readonly unknown[]): Promise<readonly Result[]> {
  const sent = await dataOf(api.POST("/v1/events", { headers: BATCH, body: events as never }));
  return sent.results;
}

/** Reads a file of devices. */
export async function readDevices(file: File): Promise<DeviceFile> {
  return dataOf(api.POST("/v1/console/devices/read", await csvBody(file)));
}

const OF_THE_FILE = ["file", "columns", "encoding", "body"] as const;
/** Names under which the service says what is wrong with a file. */
export const FILE_PLACES: readonly string[] = [...OF_THE_FILE, "timezone"];

/** What is wrong with the file itself, of errors by field. */
export function fileError(errors: { readonly [field: string]: string }): string | undefined {
  return OF_THE_FILE.map((name) => errors[name]).find((text) => text !== undefined);
}
