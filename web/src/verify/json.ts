/** JSON of evidence files: integers keep every digit, and fields are read by type. */

import type { Hex } from "viem";

export type JsonObject = Record<string, unknown>;

/** Longest integer that a JavaScript number holds for certain. */
const SAFE_DIGITS = 15;
const TOKENS = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g;

/** As JSON.parse, but longer integers become text instead of losing digits. Raises SyntaxError. */
export function parseJson(text: string): unknown {
  const kept = text.replace(TOKENS, (token) =>
    /^-?\d+$/.test(token) && token.length > SAFE_DIGITS ? `"${token}"` : token,
  );
  return JSON.parse(kept) as unknown;
}

/** Raises Error where it is none. */
export function objectOf(value: unknown, name: string): JsonObject {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new Error(`${name} is not a JSON object`);
  }
  return value as JsonObject;
}

/** An integer field of at most `bits` bits; signed where told. Raises Error. */
export function integer(from: JsonObject, name: string, bits: number, signed = false): bigint {
  const value = from[name];
  const text = typeof value === "number" || typeof value === "string" ? String(value) : "";
  if (!/^-?\d+$/.test(text)) throw new Error(`${name} is not an integer`);
  const found = BigInt(text);
  const most = 2n ** BigInt(signed ? bits - 1 : bits);
  if (found >= most || found < (signed ? -most : 0n)) {
    throw new Error(`${name} ${text} is beyond ${bits} bits`);
  }
  return found;
}

/** A field of 32 bytes in 0x-hex. Raises Error. */
export function hash32(from: JsonObject, name: string): Hex {
  const value = from[name];
  if (typeof value !== "string" || !/^0x[0-9a-fA-F]{64}$/.test(value)) {
    throw new Error(`${name} is not 32 bytes in 0x-hex`);
  }
  return value.toLowerCase() as Hex;
}
