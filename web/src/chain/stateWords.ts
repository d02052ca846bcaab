/** Words for the numbers of states that contracts name in errors and events. */

import { FACILITY_STATES } from "../generated/states";

/** A facility's state; null for a number that we do not know. To the chain, one that was never offered is unknown. */
export function onChainState(number: unknown): string | null {
  const state = FACILITY_STATES[Number(number)] ?? null;
  return state === "registered" ? "unknown" : state;
}
