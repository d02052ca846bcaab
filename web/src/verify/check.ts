/** A comparison of two values, where each comes from, and how it ended. */

export type CheckState =
  | "waiting"
  | "running"
  /** Both values are there and equal. */
  | "equal"
  /** Both values are there and differ, or a rule is broken. */
  | "different"
  /** A value could not be read: nothing was compared. */
  | "unknown";

export interface Side {
  value: string;
  /** Where the value comes from. */
  from: string;
}

export interface Check {
  id: string;
  title: string;
  state: CheckState;
  /** What was recomputed here. */
  ours?: Side;
  /** What it was compared with. */
  theirs?: Side;
  /** Where it differs, or why it could not be compared. */
  note?: string;
  /** Done part of a running check, 0 to 1. */
  share?: number;
}

/** A finished comparison. */
export function compared(
  id: string,
  title: string,
  ours: Side,
  theirs: Side,
  note?: string,
): Check {
  const equal = ours.value.toLowerCase() === theirs.value.toLowerCase();
  return {
    id,
    title,
    state: equal ? "equal" : "different",
    ours,
    theirs,
    ...(note !== undefined && !equal && { note }),
  };
}

/** A comparison that could not be made. */
export function unknown(id: string, title: string, error: unknown): Check {
  return { id, title, state: "unknown", note: sentence(error) };
}

/** First line of an error: nodes add pages of request details. */
export function sentence(error: unknown): string {
  const short = (error as { shortMessage?: unknown } | null)?.shortMessage;
  const text =
    typeof short === "string" ? short : error instanceof Error ? error.message : String(error);
  return text.split("\n")[0] ?? text;
}

/** What all checks together come to; `equal` only if every one of them is. */
export function outcomeOf(checks: readonly Check[]): CheckState {
  const states = new Set(checks.map((check) => check.state));
  if (states.has("different")) return "different";
  if (states.has("running")) return "running";
  if (states.has("unknown")) return "unknown";
  return states.has("waiting") || checks.length === 0 ? "waiting" : "equal";
}
