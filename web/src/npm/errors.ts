/** Custom errors of the contracts, by name, with the types of their arguments. */

import type { AbiParameter, AbiParameterToPrimitiveType, Hex } from "viem";
import { BaseError, ContractFunctionRevertedError, decodeErrorResult } from "viem";
import { errorsAbi } from "../chain/abis";
import type * as generated from "../generated/abis";

type Entry = (typeof generated)[keyof typeof generated][number];
type ErrorEntry = Extract<Entry, { type: "error" }>;
type Arguments<I extends readonly AbiParameter[]> = {
  readonly [K in keyof I]: AbiParameterToPrimitiveType<I[K]>;
};

/** One error of a contract: `name` says which, and so what `args` are. */
export type ContractError = {
  [E in ErrorEntry as E["name"]]: { name: E["name"]; args: Arguments<E["inputs"]> };
}[ErrorEntry["name"]];

/** The contract's error in revert data, or in what viem threw; null if it is none of ours. */
export function contractErrorOf(thrown: unknown): ContractError | null {
  const data = typeof thrown === "string" ? thrown : revertDataOf(thrown);
  if (data === null || !/^0x[0-9a-fA-F]{8,}$/.test(data)) return null;
  try {
    const { errorName, args } = decodeErrorResult({ abi: errorsAbi, data: data as Hex });
    return { name: errorName, args: args ?? [] } as ContractError;
  } catch {
    return null;
  }
}

function revertDataOf(thrown: unknown): string | null {
  if (!(thrown instanceof BaseError)) return null;
  const reverted = thrown.walk((layer) => layer instanceof ContractFunctionRevertedError);
  return reverted instanceof ContractFunctionRevertedError ? (reverted.raw ?? null) : null;
}
