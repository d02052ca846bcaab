/** Amounts, accounts and times of an event as words. */

import { type Hex, hexToString, zeroAddress } from "viem";
import { refusalOfData } from "../../chain/refusals";
import { counted, exactMoney, grouped } from "../../format/money";
import { partsOfTokenId } from "../../format/text";
import { instant } from "../../format/time";

export type Args = Record<string, unknown>;
export type Sentence = (args: Args, symbol: string) => string;
/** An account as people know it: the name of a contract of ours, else the ends of its address. */
export type Who = (account: unknown) => string;

export const count = (value: unknown): string => grouped(value as bigint);
export const money = (value: unknown, symbol: string): string =>
  // More than there can be of any token: an allowance without a limit.
  (value as bigint) >= 2n ** 255n
    ? `any amount of ${symbol}`.trim()
    : `${exactMoney(value as bigint)} ${symbol}`.trim();
export const tranche = (id: unknown): string => {
  const { facilityId, seniority } = partsOfTokenId(String(id));
  return `tranche ${String(id)} (facility ${facilityId}, rank ${seniority})`;
};

/** End of the year 9999: times after it are written as no end. */
export const LATEST_S = 253_402_300_799;
export const BURN_REASONS = ["for compute", "after the offer was cancelled", "for a refund"];
/** By the numbers of `IAttesterDesk.RefusalCode`, of which 0 is never valid. */
const REFUSAL_CODES: Record<number, string> = {
  1: "the statement does not follow from the evidence",
  2: "the evidence contradicts what the attester saw before",
  3: "the evidence could not be had a day after its hash stood on-chain",
  4: "the log's key signed two entries of one number",
};

/** `, until …`; nothing where there is no end. */
export const until = (time: unknown): string =>
  Number(time) > LATEST_S ? "" : `, until ${instant(Number(time))}`;

export const isZero = (word: unknown): boolean => BigInt(word as Hex) === 0n;

/** How many attesters signed. */
export const signers = (attesters: unknown): string =>
  counted((attesters as readonly unknown[]).length, "attester");

/** Why a contract refused a part of a batch, from the error's bytes and without a full stop. */
export const reason = (data: unknown): string =>
  (refusalOfData(data as Hex)?.sentence ?? "the contract gave no reason that is known here.").slice(
    0,
    -1,
  );

/** ` (lines.csv:17)`: a place, left-aligned ASCII on-chain; nothing where none was named. */
function placeOf(word: unknown): string {
  if (isZero(word)) return "";
  const text = hexToString(word as Hex, { size: 32 });
  return /^[\x20-\x7e]+$/.test(text)
    ? ` (${text.trim()})`
    : " (at a place that is not written as text)";
}

/** Why an attester refused, and where it looked. */
export const whyRefused = (code: unknown, place: unknown): string =>
  `${REFUSAL_CODES[Number(code)] ?? "its reason is not known here"}${placeOf(place)}`;

export function moved(a: Args, units: string, who: Who): string {
  if (a["from"] === zeroAddress) return `${units} minted to ${who(a["to"])}`;
  if (a["to"] === zeroAddress) return `${units} of ${who(a["from"])} burned`;
  return `${who(a["from"])} sent ${units} to ${who(a["to"])}`;
}

const sumOf = (values: unknown): bigint =>
  (values as readonly bigint[]).reduce((sum, value) => sum + value, 0n);

/** Who got what, by name and without those that got nothing: `3.00 mUSD to units, 1.00 mUSD to the operator`. */
function sharesOf(a: Args, symbol: string): string {
  const shares: [bigint, string][] = [
    [sumOf(a["toUnits"]), "units"],
    [sumOf(a["toVouchers"]), "vouchers"],
    [a["toTreasury"] as bigint, "the treasury"],
    [a["toOperator"] as bigint, "the operator"],
  ];
  const parts = shares
    .filter(([micros]) => micros > 0n)
    .map(([micros, name]) => `${money(micros, symbol)} to ${name}`);
  return parts.length === 0 ? "nothing to anybody" : parts.join(", ");
}

export function closed(a: Args, symbol: string): string {
  const closing = a["closing"] as Args;
  const claims = a["claims"] as Args;
  const open = sumOf(claims["units"]) + sumOf(claims["vouchers"]) + (claims["treasury"] as bigint);
  const advanced = closing["advanced"] as bigint;
  return [
    `Facility ${String(a["facilityId"])} was closed: a bond of ${money(closing["bond"], symbol)} and ${money(closing["escrow"], symbol)} of unearned proceeds went out, ${sharesOf(closing, symbol)}`,
    advanced > 0n ? `; ${money(advanced, symbol)} of the bond paid rent that renters owe` : "",
    open > 0n ? `; ${money(open, symbol)} stay owed` : "",
  ].join("");
}

export function lateRent(a: Args, symbol: string): string {
  return `${money(a["amount"], symbol)} of late rent of facility ${String(a["facilityId"])} went where its bond would have gone: ${sharesOf(a, symbol)}`;
}

export function claimedBatch(a: Args, symbol: string, who: Who): string {
  const ids = a["ids"] as readonly bigint[];
  const amounts = a["amounts"] as readonly bigint[];
  const sum = amounts.reduce((x, y) => x + y, 0n);
  const parts = ids.map((id, i) => `${exactMoney(amounts[i] ?? 0n)} from tranche ${id}`);
  const to = a["to"] === a["holder"] ? "" : `, sent to ${who(a["to"])}`;
  return `${who(a["holder"])} took ${money(sum, symbol)} of revenue: ${parts.join(", ")}${to}`;
}
