/** What became of a transaction, in one word and one sentence. */

import { grouped } from "../../format/money";
import type { Tone } from "../../parts/Status";
import type { TransactionOnChain } from "./queries";

export interface State {
  word: string;
  tone: Tone;
  sentence: string;
}

const blocks = (n: number): string => (n === 1 ? "1 block" : `${grouped(n)} blocks`);

/** State by the chain; `needed` are the blocks on top that make it final. */
export function stateOf({ found, mined }: TransactionOnChain, needed: number | null): State {
  if (found === null) {
    return {
      word: "Unknown",
      tone: "quiet",
      sentence:
        "The node does not know this hash: it was never sent, was dropped or replaced, or is of another chain.",
    };
  }
  if (mined === null) {
    return {
      word: "Pending",
      tone: "info",
      sentence:
        "Sent, and waiting for a block. Until then it can be sped up or cancelled in the wallet.",
    };
  }
  const place =
    mined.confirmations === 0
      ? "It is in the newest block"
      : `It was mined ${blocks(mined.confirmations)} ago`;
  const final = mined.final
    ? "and is final"
    : needed === null
      ? "and is final once the node calls its block finalized"
      : `and is final after ${blocks(needed - mined.confirmations)} more`;
  return mined.success
    ? { word: "Success", tone: "good", sentence: `${place} ${final}.` }
    : {
        word: "Reverted",
        tone: "bad",
        sentence: `The contract refused: nothing moved, only gas was spent. ${place} ${final}.`,
      };
}
