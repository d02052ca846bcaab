/** Tasks of the console as sentences, each with the place where it is done. */

import { money } from "../../format/money";
import { type Schedule, closingNumberOf, statementWords } from "../../format/statement";
import { sentenceCase } from "../../format/text";
import { instant } from "../../format/time";
import type { ConsoleTask } from "./queries";
import type { Section } from "./sections";

export interface TaskText {
  key: string;
  severity: string;
  sentence: string;
  /** Name of the link. */
  action: string;
  facilityId: number;
  section: Section;
  dueAtS: number | null;
}

interface Facts {
  facility: string;
  amount: string;
  due: string;
  task: ConsoleTask;
  /** `epoch 3`, or `closing statement`. */
  what: string;
  closing: boolean;
  /** Tasks of one kind and epoch that are told as one. */
  count: number;
}

type Writer = (facts: Facts) => [sentence: string, action: string, section: Section];

const devices = (count: number): string => (count === 1 ? "One device" : `${count} devices`);

const WRITERS: Record<string, Writer> = {
  offer_missing: ({ facility, due }) => [
    `Offer ${facility} on-chain: it is registered only, and its delivery window begins ${due}.`,
    "Offer",
    "launch",
  ],
  mint_or_sale_missing: ({ facility, due }) => [
    `Mint units of ${facility} or open its sale: it is offered without units, and its delivery window begins ${due}.`,
    "Mint or sell",
    "launch",
  ],
  bond_below_required: ({ facility, amount, due }) => [
    `Add ${amount} to the bond of ${facility} by ${due}: it is below its minimum.`,
    "Add to the bond",
    "bond",
  ],
  default_near: ({ facility, task, due }) => [
    `${facility} is close to default: epoch ${task.epoch ?? ""} is neither stated nor published. From ${due} on anybody may declare it, unless attesters state the epoch or you publish its evidence. An epoch whose evidence was rejected can only be stated.`,
    "Publish evidence",
    "ending",
  ],
  metering_silent: ({ facility, due }) => [
    `No metering arrives for ${facility}: its next record was expected by ${due}.`,
    "See devices",
    "devices",
  ],
  metering_gap: ({ facility, task, due, count }) => [
    `${devices(count)} of ${facility} ${count === 1 ? "has" : "have"} time without a record in epoch ${task.epoch ?? ""}. If it was used, send the record by ${due}; later it becomes a correction.`,
    "See devices",
    "devices",
  ],
  events_rejected: ({ facility }) => [
    `Events for ${facility} were rejected in the last day. Correct them and send them again.`,
    "See reasons",
    "rejections",
  ],
  conflicts: ({ facility }) => [
    `Events for ${facility} came again with another content in the last seven days. The first of each counts.`,
    "See devices",
    "devices",
  ],
  epoch_voided: ({ facility, what, closing }) => [
    `The ${closing ? what : `statement of ${what}`} of ${facility} was proven wrong on-chain and is void. Reopen ${closing ? "it" : "the epoch"} and correct its records.`,
    "Reopen",
    "epochs",
  ],
  epoch_reopened: ({ facility, what, due, closing }) => [
    `${closing ? `The ${what}` : sentenceCase(what)} of ${facility} is open again: send its corrections by ${due}. Unchanged, ${closing ? "it" : "its statement"} stays void.`,
    "See epochs",
    "epochs",
  ],
  epoch_stuck: ({ facility, what, due, closing }) => [
    `${closing ? `The ${what}` : sentenceCase(what)} of ${facility} is not on-chain yet; it was due ${due}.`,
    "See epochs",
    "epochs",
  ],
  rent_overdue: ({ facility, amount, due }) => [
    `Rent of ${amount} for ${facility} is due since ${due}.`,
    "See rent",
    "rent",
  ],
  proceeds_releasable: ({ facility, amount }) => [
    `${amount} of the sale of ${facility} can be released to you.`,
    "Release",
    "proceeds",
  ],
  withdrawable: ({ amount }) => [`${amount} is yours to withdraw.`, "Withdraw", "proceeds"],
  device_pledged_twice: ({ facility, count }) => [
    `${devices(count)} of ${facility} ${count === 1 ? "is" : "are"} pledged to another facility for the same time, and that pledge counts. Attesters refuse yours; where they approved it, anybody can prove it on-chain.`,
    "See devices",
    "devices",
  ],
};

const WITH_DEVICES = new Set(["metering_gap", "device_pledged_twice"]);

/**
 * Sentences in the order of the service, most urgent first; devices with one cause become one sentence. The terms of
 * `facilities` tell which statement is no epoch's but the closing one.
 */
export function taskTexts(
  tasks: readonly ConsoleTask[],
  names: ReadonlyMap<number, string>,
  symbol: string,
  facilities: readonly (Schedule & { facility_id: number })[] = [],
): TaskText[] {
  const closings = new Map(facilities.map((f) => [f.facility_id, closingNumberOf(f)]));
  const groups = new Map<string, ConsoleTask[]>();
  tasks.forEach((task, i) => {
    const one = WITH_DEVICES.has(task.kind) ? "" : String(i);
    const key = [task.kind, task.severity, task.facility_id, task.epoch ?? "", one].join("/");
    groups.set(key, [...(groups.get(key) ?? []), task]);
  });
  return [...groups].flatMap(([key, group]) => {
    const task = group[0];
    if (task === undefined) return [];
    const epoch = task.epoch ?? 0;
    const closing = task.epoch !== null && closings.get(task.facility_id) === task.epoch;
    const facts: Facts = {
      facility: names.get(task.facility_id) ?? `facility ${task.facility_id}`,
      amount: task.amount_micros === null ? "money" : `${money(task.amount_micros)} ${symbol}`,
      due: task.due_at_s === null ? "now" : instant(task.due_at_s),
      task,
      what: statementWords({ epoch, closing }),
      closing,
      count: group.length,
    };
    const [sentence, action, section] = WRITERS[task.kind]?.(facts) ?? [
      `${sentenceCase(task.kind)}: ${facts.facility}.`,
      "See the facility",
      "devices" as const,
    ];
    return [
      {
        key,
        severity: task.severity,
        sentence,
        action,
        facilityId: task.facility_id,
        section,
        dueAtS: task.due_at_s,
      },
    ];
  });
}
