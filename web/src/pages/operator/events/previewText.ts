/** A preview in sentences: what the next statements would say, and under which assumption. */

import type { Schemas } from "../../../api/client";
import { gpuHours, money } from "../../../format/money";
import { statementName } from "../../../format/statement";
import { sentenceCase } from "../../../format/text";
import { date } from "../../../format/time";

export type Preview = Schemas["PreviewOut"];
export type Foreseen = Schemas["ForeseenOut"];
export type Change = Schemas["ChangeOut"];

/** Says why an event would not be taken; null where all would be. */
export function refusalOf(preview: Preview): { code: string; detail: string } | null {
  const found = preview.batch.results.find((r) => r.status === "rejected");
  return found === undefined ? null : { code: found.code ?? "", detail: found.detail ?? "" };
}

/** What the preview cannot show, or null. */
export function unforeseenText(preview: Preview): string | null {
  if (preview.unforeseen === "nothing_new")
    return "Nothing would change: the log says this already.";
  if (preview.unforeseen === "too_many_facts" || preview.unforeseen === "preparing")
    return "The event would be taken. What the next statement would say is not shown: this facility has more facts than a preview goes through.";
  return null;
}

function moved(before: number, after: number, symbol: string): string {
  const by = after - before;
  const size = money(Math.abs(by));
  return (
    `${money(after)} ${symbol}`.trim() +
    ` in place of ${money(before)}: ${size} ${by > 0 ? "more" : "less"}`
  );
}

/** What one statement would say, in sentences. */
export function foreseenTexts(foreseen: Foreseen, symbol: string): string[] {
  const { before, after } = foreseen;
  const name = foreseen.closing ? "The closing statement" : statementName(foreseen);
  const texts: string[] = [];
  if (before.gross_micros !== after.gross_micros)
    texts.push(`${name} would state ${moved(before.gross_micros, after.gross_micros, symbol)}.`);
  else if (foreseen.changes.length > 0)
    texts.push(
      `${name} would state the same sum, ${money(after.gross_micros)} ${symbol}`.trim() + ".",
    );
  else texts.push(`${name} would state the same as without it.`);
  const held = after.held_back_micros - before.held_back_micros;
  if (held > 0)
    texts.push(
      `${money(held)} ${symbol}`.trim() +
        " of what is owed back waits: a statement is never below zero. It comes back by itself as later rent allows.",
    );
  if (held < 0)
    texts.push(`${money(-held)} ${symbol}`.trim() + " of what waits to go back would go back now.");
  if (before.available_gpu_seconds !== after.available_gpu_seconds)
    texts.push(
      `Available of its time: ${gpuHours(after.available_gpu_seconds)} GPU-hours in place of ${gpuHours(before.available_gpu_seconds)}.`,
    );
  if (before.available_adjustment !== after.available_adjustment)
    texts.push(
      `Available of earlier epochs: ${signedHours(after.available_adjustment)} GPU-hours to be added, in place of ${signedHours(before.available_adjustment)}.`,
    );
  return texts;
}

function signedHours(seconds: number): string {
  return seconds > 0 ? `+${gpuHours(seconds)}` : gpuHours(seconds);
}

/** Of a row: what kind of line, and the month that it is of. */
export function changeName(change: Change): string {
  return sentenceCase(change.kind);
}

/** `2026-11`. */
export function monthOf(change: Change): string {
  return date(change.month_start_s).slice(0, 7);
}

/** What the events say of later time, or null. */
export function waitingText(preview: Preview): string | null {
  if (preview.waiting === 0) return null;
  return "Some of it speaks of later time: statements of that time will have it, and no figure of them is shown.";
}

/** Characters that would change how the text around them reads. */
const HIDDEN =
  /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;

/** JSON for people, with nothing in it that a page would not show. */
export function shownJson(value: unknown): string {
  return JSON.stringify(value, null, 2).replace(
    HIDDEN,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
