/** What the code at an account makes of it. */

import type { Hex } from "viem";

export type AccountKind =
  /** Only its key signs; there is no code. */
  | "key"
  /** Its key signs as ever, and calls to it run code that the key chose (EIP-7702). */
  | "delegated"
  /** A contract: no key of its own, its code decides what it signs and sends. */
  | "contract";

/** Source: EIP-7702. Such an account's code is this prefix and the address of the code that it uses: 23 bytes. */
const DELEGATION = /^0xef0100[0-9a-f]{40}$/i;

/** Kind of an account by its code, as `getCode` gives it. */
export function kindOfCode(code: Hex | undefined): AccountKind {
  if (code === undefined || code === "0x") return "key";
  return DELEGATION.test(code) ? "delegated" : "contract";
}

/** Whether an account with this code is a contract: one that other owners may have to sign for. */
export function isContractCode(code: Hex | undefined): boolean {
  return kindOfCode(code) === "contract";
}
