/** The state of an epoch in words, `settled` only as far as money came. */

import { sentenceCase } from "../format/text";
import type { Tone } from "./Status";

/** Words and tone; the tone null where the state's own fits. `paid` undefined is not known yet. */
export function epochWords(
  state: string,
  grossMicros: number | null,
  paid: bigint | undefined,
): { words: string; tone: Tone | null } {
  if (state !== "settled") return { words: sentenceCase(state), tone: null };
  const gross = BigInt(grossMicros ?? 0);
  if (paid === undefined) return { words: "Counted", tone: "info" };
  if (paid >= gross) return { words: "Settled", tone: null };
  if (paid === 0n) return { words: "Counted, not paid", tone: "warning" };
  // Cut, so that nothing short of all is 100 %; and never 0 where something came.
  const percent = (100n * paid) / gross;
  return { words: `Counted, ${percent === 0n ? "<1" : percent} % paid`, tone: "warning" };
}
