/** The hash of an epoch's evidence, as people paste it. */

import { type Hex, zeroHash } from "viem";

/** Null unless it is a SHA-256 other than zero, in hexadecimal. */
export function parseEvidenceHash(text: string): Hex | null {
  const hash = text.trim().toLowerCase();
  return /^0x[0-9a-f]{64}$/.test(hash) && hash !== zeroHash ? (hash as Hex) : null;
}
