/** Bytes and hexadecimal text. */

import type { Hex } from "viem";

const DIGITS = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, "0"));

/** 0x-prefixed lower-case hex. */
export function hexOf(bytes: Uint8Array): Hex {
  let text = "0x";
  for (const byte of bytes) text += DIGITS[byte] ?? "";
  return text as Hex;
}

/** Bytes of 0x-prefixed hex of exactly `size` bytes. Raises Error. */
export function bytesOf(hex: string, size: number): Uint8Array {
  if (!/^0x[0-9a-fA-F]*$/.test(hex) || hex.length !== 2 + 2 * size) {
    throw new Error(`"${hex.slice(0, 80)}" is not ${size} bytes in 0x-hex`);
  }
  const bytes = new Uint8Array(size);
  for (let i = 0; i < size; i++) bytes[i] = Number.parseInt(hex.slice(2 + 2 * i, 4 + 2 * i), 16);
  return bytes;
}

/** Order of byte strings of one length, as memcmp gives it. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < a.length; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Whether two hex texts mean the same bytes: case does not matter. */
export function sameHex(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

export const ZERO32: Hex = `0x${"0".repeat(64)}`;
