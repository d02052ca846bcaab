/** Why an epoch cannot be reopened, and which epochs a reopening touches, in words. */

import { ApiProblem } from "../../../api/client";
import { grouped } from "../../../format/money";

const REFUSED: Record<string, string> = {
  not_voided: "No proven fault stands against this statement: there is nothing to reopen.",
  not_next: "An earlier epoch comes first: it must be posted or reopened before this one.",
  void_not_final: "The proof stands in a block that could still be undone. Try again in a minute.",
  posting_under_way: "A statement is being posted just now. Wait for its outcome, then try again.",
  books_changed: "The books changed in this moment. Try again.",
};

/** The refusal of a reopening as a sentence. */
export function refusedText(error: unknown): string {
  if (!(error instanceof ApiProblem)) {
    const message = error instanceof Error ? error.message : String(error);
    return `The service cannot be reached: ${message}`;
  }
  if (error.code === "not_found") return "It is open again already.";
  return REFUSED[error.reason ?? ""] ?? `${error.message}.`;
}

const WAITS: Record<string, string> = {
  not_next: "an earlier epoch comes first",
  void_not_final: "can be reopened once the proof is final",
  posting_under_way: "a posting is under way",
};

/** Why a voided epoch still waits, short enough for its row; null if there is nothing to say. */
export function waitsText(reopen: string | null): string | null {
  return reopen === null ? null : (WAITS[reopen] ?? null);
}

/** "epoch 3", "epochs 3 to 7", or either "and the closing statement", whose number is `closing`. */
export function statementRange(first: number, last: number, closing: number): string {
  const lastEpoch = Math.min(last, closing - 1);
  const epochs =
    lastEpoch > first
      ? `epochs ${grouped(first)} to ${grouped(lastEpoch)}`
      : `epoch ${grouped(first)}`;
  if (last < closing) return epochs;
  return first === closing ? "the closing statement" : `${epochs} and the closing statement`;
}
