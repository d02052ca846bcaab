/** Which epochs of a facility are worth a row. */

/** How many epochs of a facility have begun at `nowS`. */
export function startedEpochs(
  terms: { window_start_s: number; epoch_length_s: number; epoch_count: number },
  nowS: number,
): number {
  const begun = Math.floor((nowS - terms.window_start_s) / terms.epoch_length_s) + 1;
  return Math.min(terms.epoch_count, Math.max(0, begun));
}
