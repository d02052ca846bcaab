/** A facility's way to its end in words: where it stands, and what anybody can do about it. */

import {
  type Act,
  type LifeCycle,
  cureOf,
  epochCountOf,
  epochEndOf,
  hasEnded,
  sealedAtOf,
} from "../chain/lifeCycle";
import { money } from "../format/money";
import { duration, instant } from "../format/time";

/** What a closing does, for whoever waits for it. */
export const CLOSING_RULES =
  "The closing shares the operator's bond and the sale proceeds that delivery did not earn, once and by one rule. The bond first pays attested rent that renters still owe, up to what delivered hours are worth at its rate. Then both pay what promised hours that are missing cost, the tranche that is paid first before the others. What is left is the operator's. Units stay with their holders, and their share streams to them over an epoch, but at least for a day.";

/** Where the facility stands, in a sentence or two. */
export function standingText(facts: LifeCycle): string {
  const { state, offer, firstOpen, endedAtS, closedAtS, nowS } = facts;
  if (hasEnded(state)) {
    const ended = `It ${ENDED_WORDS[state] ?? "ended"}${endedAtS === null ? "" : ` at ${instant(endedAtS)}`}.`;
    return closedAtS === null
      ? `${ended} It is not closed yet: bond and unearned proceeds wait.`
      : `${ended} It was closed at ${instant(closedAtS)}.`;
  }
  if (state !== "delivering") return `Its window begins at ${instant(offer.windowStartS)}.`;
  const count = epochCountOf(offer);
  const ended = Math.min(count, Math.floor((nowS - offer.windowStartS) / offer.epochLengthS));
  const unsigned = epochs(facts.epochsPosted, firstOpen);
  return [
    ended === 0
      ? "No epoch is over yet."
      : firstOpen < ended
        ? `${epochs(firstOpen, ended)} over, and neither stated nor published.`
        : "Every epoch that is over is stated or published.",
    unsigned === null
      ? ""
      : ` ${unsigned} published, by the operator or because a void left it so, without a statement that stands: that earns no proceeds.`,
    closingText(facts),
  ].join("");
}

/** What maturity waits for: the closing statement, which ends with the seal; empty once that is final. */
function closingText({ closingStatement, offer, nowS }: LifeCycle): string {
  const sealedAtS = sealedAtOf(offer);
  if (closingStatement === "final") return "";
  if (closingStatement === "posted")
    return " Its closing statement is posted and can still be challenged: nothing matures before it is final.";
  return nowS < sealedAtS
    ? ` Late usage, late outages and corrections can be stated until the seal is over at ${instant(sealedAtS)}. Its closing statement comes then; nothing matures before that is final.`
    : ` The seal is over since ${instant(sealedAtS)}. Its closing statement is not posted yet; nothing matures before that is final.`;
}

/** `Epoch 3 is` or `Epochs 3 to 7 are`, of those from `first` and before `end`; null if there are none. */
function epochs(first: number, end: number): string | null {
  if (end <= first) return null;
  return end - first === 1 ? `Epoch ${first} is` : `Epochs ${first} to ${end - 1} are`;
}

const ENDED_WORDS: Partial<Record<LifeCycle["state"], string>> = {
  matured: "matured",
  defaulted: "went into default",
  stopped: "was stopped",
};

export interface ActText {
  button: string;
  /** Of the transaction, in the list of what was sent. */
  label: string;
  sentence: string;
}

type Writer = (act: Act, facts: LifeCycle) => { button: string; sentence: string };

const WRITERS: Record<Act["name"], Writer> = {
  noticeDefault: ({ epoch, fromS }, { offer, nowS }) => ({
    button: "Give notice of default",
    sentence: `Epoch ${epoch ?? ""} ended at ${instant(epochEndOf(offer, epoch ?? 0))} and is neither stated nor published. ${fromS <= nowS ? "It is overdue: anybody can give notice now" : `If it stays so, anybody can give notice from ${instant(fromS)}`}; the operator then has ${duration(cureOf(offer))} left before a default.`,
  }),
  declareDefault: ({ epoch, fromS }, { nowS }) => ({
    button: "Declare default",
    sentence: `Notice of epoch ${epoch ?? ""} was given. ${fromS <= nowS ? "It is still neither stated nor published: anybody can declare the default now, which ends the facility" : `If it is still neither stated nor published at ${instant(fromS)}, anybody can declare the default, which ends the facility`}.`,
  }),
  noticeUnpaid: ({ unpaidMicros }) => ({
    button: "Give notice of unpaid rent",
    sentence: `The closing statement is final, and ${money(unpaidMicros)} of attested rent is unpaid. 90 days after a notice of that, the facility can mature all the same; the bond then pays rent up to what delivered hours are worth at its rate.`,
  }),
  mature: ({ unpaidMicros, fromS }, { nowS }) => ({
    button: "Let it mature",
    sentence:
      unpaidMicros === 0n
        ? "The closing statement is final, and all attested rent is paid: anybody can let the facility mature, and a day later it can be closed."
        : `Notice of unpaid rent was given, and ${money(unpaidMicros)} is unpaid now. ${fromS <= nowS ? "Its 90 days are over: anybody can let the facility mature without it" : `From ${instant(fromS)} anybody can let the facility mature without it`}.`,
  }),
  stop: ({ fromS }, { nowS }) => ({
    button: "Stop the facility",
    sentence:
      fromS <= nowS
        ? "Its long stop is reached: anybody can end the facility, whatever is missing."
        : `Long stop: if nobody ended the facility by ${instant(fromS)}, anybody can, whatever is missing.`,
  }),
  close: ({ fromS }, { nowS, state }) => ({
    button: "Close the facility",
    sentence:
      fromS <= nowS
        ? "Nothing more can be stated: anybody can close the facility now."
        : state === "matured"
          ? `Last deliveries are counted first: anybody can close the facility from ${instant(fromS)}.`
          : `Last statements and deliveries come first: anybody can close the facility from ${instant(fromS)}. A proven fault puts that off.`,
  }),
};

export function actText(act: Act, facts: LifeCycle, facilityId: number): ActText {
  const { button, sentence } = WRITERS[act.name](act, facts);
  return { button, sentence, label: `${button}: facility ${facilityId}` };
}
