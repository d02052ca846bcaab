/** How far what pages show can be believed, in words. */

import type { Schemas } from "../api/client";
import { grouped } from "../format/money";
import { instant } from "../format/time";

export interface Standing {
  tone: "bad" | "warning";
  sentence: string;
  /** Why, with the way out, for whoever runs the service. */
  reason: string | null;
}

/** A node that is away for a moment is no news, nor is a long step of the worker. */
const AWAY_S = 60;
const SILENT_S = 300;

type Status = Pick<Schemas["StatusOut"], "index" | "indexed_block">;

/** What is wrong with the service's copy of the chain; null if nothing is. */
export function standingOf({ index, indexed_block }: Status): Standing | null {
  if (index === null) return null;
  const { state, reason, since_s, seen_at_s, now_s } = index;
  const block = indexed_block === null ? "no block yet" : `block ${grouped(indexed_block)}`;
  const since = instant(since_s);
  if (state === "halted") {
    return {
      tone: "bad",
      sentence: `These pages show old numbers, as of ${block}. The service stopped reading the chain ${since}, and goes on only after a person has looked.`,
      reason,
    };
  }
  if (state === "incomplete") {
    return {
      tone: "bad",
      sentence: `Numbers on these pages may be wrong: since ${since} the service's copy of the chain contradicts the contracts.`,
      reason,
    };
  }
  if (state === "waiting" && now_s - since_s >= AWAY_S) {
    return {
      tone: "warning",
      sentence: `These pages show old numbers, as of ${block}. The service cannot read the chain since ${since}; it tries on by itself.`,
      reason,
    };
  }
  if (now_s - seen_at_s >= SILENT_S) {
    return {
      tone: "warning",
      sentence: `These pages show old numbers, as of ${block}. Nothing has read the chain since ${instant(seen_at_s)}.`,
      reason,
    };
  }
  return null;
}

/** What the figures of a page are as of, for its foot. */
export function asOf(status: Schemas["StatusOut"], chainName: string): string {
  const { chain_head, indexed_block, index, now_s } = status;
  if (indexed_block === null) return `${chainName}: nothing indexed yet.`;
  const behind = chain_head === null ? 0 : chain_head - indexed_block;
  const ahead = behind > 0 ? ` (${grouped(behind)} behind the head)` : "";
  const block = `${chainName}, as of block ${grouped(indexed_block)}${ahead}`;
  // With a time beside it, an old block would look like one of now.
  if (standingOf(status) !== null) return `${block}, which is not up to date.`;
  return `${block}, ${index?.state === "catching_up" ? "catching up, " : ""}${instant(now_s)}.`;
}
