/** Words for steps of the service's queue. */

import type { UseQueryResult } from "@tanstack/react-query";
import type { Schemas } from "../../api/client";
import { sentenceCase } from "../../format/text";
import type { Tone } from "../../parts/Status";

export type StepsQuery = UseQueryResult<Schemas["QueueOut"]>;

const STEPS: Record<string, string> = {
  approve: "Approve the devices",
  close: "Close epochs",
  post: "Post statements",
  settle: "Settle",
  serve: "Serve vouchers",
  finish: "End the facility",
};

/** What a step does, in words. */
export function stepName(step: string): string {
  return Object.hasOwn(STEPS, step) ? (STEPS[step] ?? step) : sentenceCase(step);
}

interface State {
  tone: Tone;
  /** Instead of a time of the next try. */
  next?: string;
}

/** How a state is shown, also one that a newer service tells. */
export function stateOf(state: string): State {
  if (state === "held") return { tone: "bad", next: "not by itself" };
  if (state === "failing") return { tone: "warning" };
  if (state === "waiting") return { tone: "info" };
  if (state === "running") return { tone: "info", next: "now" };
  return { tone: "quiet" };
}

/** What may be said where no task is open: only as much as the queue and the service's key bear out. */
export function restText({ data }: Pick<StepsQuery, "data">, stopped: boolean): string {
  if (stopped) return "Nothing of yours, but the service sends nothing to the chain: see below.";
  if (data === undefined) return "Whether the service can do its part is not known just now.";
  const troubled = data.work.some(({ state }) => state === "held" || state === "failing");
  return troubled
    ? "Nothing of yours, but the service could not do its part: see below."
    : "Metering, statements, rent and bonds are as they should be.";
}
