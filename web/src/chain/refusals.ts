/** Why wallet, node or contract refused, in plain sentences. */

import {
  BaseError,
  ContractFunctionRevertedError,
  type Hex,
  HttpRequestError,
  TimeoutError,
  decodeErrorResult,
} from "viem";
import { short } from "../format/text";
import { errorsAbi } from "./abis";
import { type Arguments, SENTENCES } from "./sentences";

/** An error of a contract by name and arguments. */
export interface Refusal {
  name: string;
  sentence: string;
}

/** A decoded custom error as a sentence. */
export function refusalOf(name: string, args: Arguments): Refusal {
  const known = SENTENCES[name];
  if (known !== undefined) return { name, sentence: known(args) };
  const shown = args.map((a) =>
    typeof a === "string" && a.startsWith("0x") ? short(a) : String(a),
  );
  return {
    name,
    sentence: `The contract refused: ${name}${shown.length > 0 ? ` (${shown.join(", ")})` : ""}.`,
  };
}

/** Revert data as a sentence; null if it is none of our errors. */
export function refusalOfData(data: Hex): Refusal | null {
  try {
    const decoded = decodeErrorResult({ abi: errorsAbi, data });
    return refusalOf(decoded.errorName, decoded.args ?? []);
  } catch {
    return null;
  }
}

type Layer = { code?: unknown; data?: unknown; cause?: unknown; error?: unknown };

/** The error and everything that it wraps: wallets nest the node's answer in `data`, `cause` or `error`. */
function layersOf(error: unknown): Layer[] {
  const found: Layer[] = [];
  const queue: unknown[] = [error];
  while (queue.length > 0 && found.length < 20) {
    const layer = queue.shift();
    if (typeof layer !== "object" || layer === null || found.includes(layer)) continue;
    found.push(layer);
    const { cause, data, error: inner } = layer as Layer;
    queue.push(cause, data, inner);
  }
  return found;
}

/** EIP-1193 and JSON-RPC codes of the error, outermost first. */
function codesOf(error: unknown): number[] {
  return layersOf(error)
    .map((layer) => layer.code)
    .filter((code) => typeof code === "number");
}

/** Whether a person said no in the wallet (EIP-1193, code 4001; 5000 over WalletConnect). */
export function wasDeclined(error: unknown): boolean {
  return codesOf(error).some((code) => code === 4001 || code === 5000);
}

/** Whether the wallet cannot do what it was asked for, such as signing typed data. */
export function isUnsupported(error: unknown): boolean {
  return codesOf(error).some((code) => code === 4200 || code === -32601 || code === -32004);
}

function revertDataOf(error: unknown): Hex | null {
  for (const { data } of layersOf(error)) {
    if (typeof data !== "string") continue;
    // Some wallets write "Reverted 0x…".
    const hex = /0x[0-9a-fA-F]{8,}$/.exec(data)?.[0];
    if (hex !== undefined) return hex as Hex;
  }
  return null;
}

const BY_CODE: Record<number, Refusal> = {
  [-32002]: {
    name: "WalletBusy",
    sentence: "Your wallet has an open request already. Open the wallet and answer it.",
  },
  4100: {
    name: "Unauthorized",
    sentence: "The wallet did not allow this account to this page. Connect it again.",
  },
  4200: { name: "Unsupported", sentence: "The wallet cannot do this." },
  4900: { name: "Disconnected", sentence: "The wallet lost its connection. Connect it again." },
  4901: { name: "Disconnected", sentence: "The wallet has no connection to this network." },
  4902: { name: "UnknownNetwork", sentence: "The wallet does not know this network: add it." },
};

const BY_TEXT: [RegExp, Refusal][] = [
  [
    /insufficient funds/i,
    {
      name: "InsufficientFunds",
      sentence: "The account has too little of the chain's own coin to pay for gas.",
    },
  ],
  [
    /nonce too low|already known|replacement transaction underpriced/i,
    {
      name: "NonceTaken",
      sentence:
        "The node knows another transaction of this account with the same number. Wait until it is mined, then try again.",
    },
  ],
];

/** Any failure of a simulation or a send, as a sentence. */
export function sentenceOf(error: unknown): Refusal {
  if (wasDeclined(error)) {
    return { name: "Declined", sentence: "You declined in the wallet. Nothing was sent." };
  }
  if (error instanceof BaseError) {
    const reverted = error.walk((e) => e instanceof ContractFunctionRevertedError);
    if (reverted instanceof ContractFunctionRevertedError && reverted.data !== undefined) {
      return refusalOf(reverted.data.errorName, reverted.data.args ?? []);
    }
  }
  const data = revertDataOf(error);
  const refusal = data === null ? null : refusalOfData(data);
  if (refusal !== null) return refusal;
  const text = error instanceof Error ? error.message : String(error);
  for (const [pattern, found] of BY_TEXT) if (pattern.test(text)) return found;
  for (const code of codesOf(error)) {
    const found = BY_CODE[code];
    if (found !== undefined) return found;
  }
  if (error instanceof BaseError) {
    const lost = error.walk((e) => e instanceof HttpRequestError || e instanceof TimeoutError);
    if (lost !== null) {
      return { name: "NodeUnreachable", sentence: "The chain's node does not answer just now." };
    }
    if (/reverted for an unknown reason/.test(error.shortMessage)) {
      return { name: "NoReason", sentence: "The contract refused and gave no reason." };
    }
    return { name: error.name, sentence: error.shortMessage };
  }
  return { name: "Error", sentence: text };
}
