/** Which epochs of a facility are worth a row, and what is still to come. */

import { counted } from "../../../format/money";

/**
 * How many statements of a facility have begun to be filled at `nowS`: of epochs, and behind the last of `epochs` the
 * closing statement, which begins where that ends.
 */
export function startedStatements(
  terms: { window_start_s: number; epoch_length_s: number },
  epochs: number,
  nowS: number,
): number {
  const begun = Math.floor((nowS - terms.window_start_s) / terms.epoch_length_s) + 1;
  return Math.min(epochs + 1, Math.max(0, begun));
}

/** What of `epochs` and the closing statement has not begun, before the time at which the next does; null for nothing. */
export function toComeText(epochs: number, started: number): string | null {
  if (started > epochs) return null;
  return started === epochs
    ? "The closing statement is still to come"
    : `${counted(epochs - started, "epoch")} and the closing statement are still to come, the next`;
}
