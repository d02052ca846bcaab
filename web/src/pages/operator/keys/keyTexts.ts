/** API keys in words: what a scope allows, who did something, why the service refuses; and the form as a body. */

import { ApiProblem, type Schemas } from "../../../api/client";
import type { Tone } from "../../../parts/Status";
import { rfc3339 } from "../forms/numbers";
import type { FieldErrors } from "../launch/offerForm";
import type { Made } from "../leases/leaseForms";

export type ApiKey = Schemas["ListedKeyOut"];
export type KeyChange = Schemas["KeyChangeOut"];
export type Scope = Schemas["Scope"];
type KeyIn = Schemas["KeyIn"];

const DAY_S = 86_400;

/** What an operator's key may do, the least first. */
export const SCOPES: readonly { value: Scope; label: string; about: string }[] = [
  {
    value: "events:write",
    label: "Push metering",
    about: "Usage, outages and corrections: all that a collector needs.",
  },
  { value: "read", label: "Read", about: "Everything that this console shows." },
  {
    value: "ledger:write",
    label: "Change facilities and leases",
    about: "Register facilities, open and close leases, set prices, reopen epochs, issue bills.",
  },
  {
    value: "keys:write",
    label: "Manage keys",
    about: "Make, rotate and revoke keys that may do no more than it may itself.",
  },
];

/** "Push metering, read". */
export function scopesText(scopes: readonly string[]): string {
  const words = SCOPES.filter((s) => scopes.includes(s.value)).map((s, i) =>
    i === 0 ? s.label : s.label.charAt(0).toLowerCase() + s.label.slice(1),
  );
  return words.join(", ");
}

/** How long a new key lives; "" is until it is revoked. */
export const LIVES: readonly { value: string; label: string }[] = [
  { value: "", label: "Until it is revoked" },
  { value: "30", label: "30 days" },
  { value: "90", label: "90 days" },
  { value: "365", label: "A year" },
];

/** How long the old key works on beside its successor, in seconds. */
export const OVERLAPS: readonly { value: string; label: string }[] = [
  { value: "0", label: "Not at all: end it now" },
  { value: "3600", label: "An hour" },
  { value: String(DAY_S), label: "A day" },
  { value: String(7 * DAY_S), label: "A week" },
];
export const DEFAULT_OVERLAP = String(DAY_S);

export interface KeyFields {
  name: string;
  scopes: readonly Scope[];
  days: string;
}

// As the service refuses them: what controls text, ends a line or turns its direction around.
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

/** A new key. `nowS` is the wall clock, by which keys live. */
export function keyBody({ name, scopes, days }: KeyFields, nowS: number): Made<KeyIn> {
  const errors: FieldErrors = {};
  const trimmed = name.trim();
  if (trimmed === "" || trimmed.length > 80 || UNPRINTABLE.test(trimmed))
    errors["name"] = "1 to 80 printable characters.";
  if (scopes.length === 0) errors["scopes"] = "Choose what it may do.";
  if (Object.keys(errors).length > 0) return { body: null, errors };
  const ends = days === "" ? {} : { expires_at: rfc3339(nowS + Number(days) * DAY_S) };
  return { body: { name: trimmed, scopes: [...scopes], ...ends }, errors: null };
}

const STATES: Record<string, { word: string; tone: Tone }> = {
  live: { word: "Works", tone: "good" },
  ending: { word: "Ending", tone: "warning" },
  expired: { word: "Expired", tone: "quiet" },
  revoked: { word: "Revoked", tone: "quiet" },
};

/** State of a key in a word. */
export function stateWord(state: string): { word: string; tone: Tone } {
  return STATES[state] ?? { word: state, tone: "quiet" };
}

/** The second from which a key is refused, if there is one. */
export function endOf(key: { expires_at_s: number | null; revoked_at_s: number | null }) {
  const ends = [key.expires_at_s, key.revoked_at_s].filter((s) => s !== null);
  return ends.length === 0 ? null : Math.min(...ends);
}

const ACTORS: Record<string, string> = {
  setting: "the admin",
  "command line": "the service's machine",
  unknown: "before this was kept",
};

/** Who changed a key, where it is neither a wallet nor a key; null where it is one. */
export function actorText(actor: string): string | null {
  if (actor.startsWith("0x") || actor.startsWith("rr_")) return null;
  return ACTORS[actor] ?? actor;
}

const REFUSED: Record<string, string> = {
  name_taken: "Another key that works has this name.",
  too_many_keys: "There are too many keys: revoke one that nobody needs, or wait a day.",
  key_ending: "It has a successor, or an end, already.",
  key_over: "It works no more: make another key.",
};

/** A refusal as a sentence. */
export function refusedText(error: unknown): string {
  if (!(error instanceof ApiProblem)) {
    const message = error instanceof Error ? error.message : String(error);
    return `The service cannot be reached: ${message}`;
  }
  return REFUSED[error.reason ?? ""] ?? `${error.message}.`;
}
