/** Names of statements: one for every epoch, and the closing statement behind the last, which is of no epoch. */

/** A statement by its number; that of the closing statement is the number of epochs before it. */
export interface Numbered {
  epoch: number;
  closing: boolean;
}

/** As a name that stands alone: `Epoch 3`, or `Closing statement`. */
export function statementName({ epoch, closing }: Numbered): string {
  return closing ? "Closing statement" : `Epoch ${epoch}`;
}

/** After a comma or in a sentence: `epoch 3`, or `closing statement`. */
export function statementWords(of: Numbered): string {
  const name = statementName(of);
  return `${name.charAt(0).toLowerCase()}${name.slice(1)}`;
}

/** Window, seal and end of a facility, as the service tells them. */
export interface Schedule {
  window_start_s: number;
  window_end_s: number;
  epoch_length_s: number;
  seal_s: number;
  ending: { ended_at_s: number } | null;
}

/**
 * Number of the closing statement, which is that of the epochs before it; null where no epoch was over when the facility
 * ended. As `FacilityTerms.closing_period` of the service.
 */
export function closingNumberOf(facility: Schedule): number | null {
  const { window_start_s, window_end_s, epoch_length_s, seal_s, ending } = facility;
  const ended = ending?.ended_at_s ?? null;
  const early = ended !== null && ended < window_end_s + seal_s;
  const lastS = early ? Math.min(ended, window_end_s) : window_end_s;
  const epochs = Math.max(0, Math.floor((lastS - window_start_s) / epoch_length_s));
  return epochs === 0 ? null : epochs;
}
