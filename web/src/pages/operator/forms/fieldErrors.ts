/** Problems of the service at the fields of a form. */

import { ApiProblem } from "../../../api/client";
import type { FieldErrors } from "../launch/offerForm";

/** Names under which the service's rules know fields that forms name otherwise. */
const ALIASES: Record<string, string> = {
  window_start_s: "window_start",
  window_end_s: "window_end",
  opened_at_s: "opened_at",
  in_service_s: "in_service_at",
};

function sentence(text: string): string {
  const first = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(first) ? first : `${first}.`;
}

/**
 * What went wrong, by field of the form; under `""` what belongs to none of `fields`. A field deeper than the form
 * goes (`devices.3`) is shown at the nearest one that the form has.
 */
export function fieldErrors(error: unknown, fields: readonly string[]): FieldErrors {
  if (error === null || error === undefined) return {};
  if (!(error instanceof ApiProblem)) {
    const message = error instanceof Error ? error.message : String(error);
    return { "": `The service cannot be reached: ${message}` };
  }
  const named =
    error.errors.length > 0
      ? error.errors.map((e) => ({ field: e.field, text: e.error }))
      : [{ field: error.field ?? "", text: error.message }];
  const found: FieldErrors = {};
  for (const { field, text } of named) {
    let place = ALIASES[field] ?? field;
    while (place !== "" && !fields.includes(place)) place = place.replace(/\.?[^.]*$/, "");
    const said =
      place === "" && field !== "" && error.errors.length > 0 ? `${field}: ${text}` : text;
    found[place] ??= sentence(said);
  }
  return found;
}
