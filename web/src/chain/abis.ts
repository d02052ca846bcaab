/** ABIs by contract, and one with every error, because a call's error may come from a contract further in. */

import type { Abi } from "viem";
import * as generated from "../generated/abis";

export * from "../generated/abis";

type AbiError = Extract<Abi[number], { type: "error" }>;

export const allAbis: readonly Abi[] = Object.values(generated);

/** Every custom error that a call of ours can end in, each once. */
export const errorsAbi: readonly AbiError[] = [
  ...new Map(
    allAbis
      .flat()
      .filter((entry): entry is AbiError => entry.type === "error")
      .map((entry) => [`${entry.name}(${entry.inputs.map((i) => i.type).join()})`, entry]),
  ).values(),
];
