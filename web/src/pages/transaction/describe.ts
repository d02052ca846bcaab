/** Events of our contracts in plain words. */

import type { Address } from "viem";
import { sentenceCase, short } from "../../format/text";
import { type Contracts, type DecodedEvent, contractAt } from "./decode";
import { attesterSentences, dutySentences } from "./attesterSentences";
import { bondSentences, rentSentences, tradeSentences } from "./eventSentences";
import { walletSentences } from "./walletSentences";
import type { Sentence, Who } from "./words";

/** Sentences by event name; describe.test.ts fails when one is missing. */
export const sentencesWith = (who: Who): Record<string, Sentence> => ({
  ...tradeSentences(who),
  ...rentSentences(who),
  ...bondSentences(who),
  ...attesterSentences(who),
  ...dutySentences(who),
  ...walletSentences(who),
});

/** `ERC20Transfer` as words: `Erc20 transfer`. */
function spaced(name: string): string {
  return sentenceCase(name.replace(/(?<=[a-z0-9])(?=[A-Z])/g, " ").toLowerCase());
}

/** An event as a sentence; events without one are shown by their name. */
export function describe(event: DecodedEvent, symbol: string, contracts: Contracts): string {
  const who: Who = (account) =>
    contractAt(contracts, account as Address) ?? short(String(account), 6, 4);
  const sentence = sentencesWith(who)[event.eventName];
  return `${sentence === undefined ? spaced(event.eventName) : sentence(event.args, symbol)}.`;
}
