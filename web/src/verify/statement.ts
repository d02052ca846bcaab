/** Statements: reading statement.json, and the EIP-712 hash that attesters sign and the registry stores. */

import { keccak_256 } from "@noble/hashes/sha3";
import { type Address, type Hex, stringToBytes } from "viem";
import { bytesOf, hexOf } from "./bytes";
import { hash32, integer, objectOf, parseJson } from "./json";

export interface Statement {
  facilityId: bigint;
  epoch: number;
  epochStart: bigint;
  epochEnd: bigint;
  availableGpuSeconds: bigint;
  /** What of earlier epochs turned out to have been available, less what turned out not to. */
  availableAdjustment: bigint;
  billedGpuSeconds: bigint;
  grossRevenue: bigint;
  lineCount: number;
  usageRoot: Hex;
  evidenceHash: Hex;
  previousStatementHash: Hex;
  topRenterBps: number;
  committedBps: number;
}

const FIELDS = [
  ["facilityId", "uint64"],
  ["epoch", "uint32"],
  ["epochStart", "uint64"],
  ["epochEnd", "uint64"],
  ["availableGpuSeconds", "uint64"],
  ["availableAdjustment", "int64"],
  ["billedGpuSeconds", "uint64"],
  ["grossRevenue", "int128"],
  ["lineCount", "uint32"],
  ["usageRoot", "bytes32"],
  ["evidenceHash", "bytes32"],
  ["previousStatementHash", "bytes32"],
  ["topRenterBps", "uint16"],
  ["committedBps", "uint16"],
] as const satisfies readonly (readonly [keyof Statement, string])[];

const keccakText = (text: string): Uint8Array => keccak_256(stringToBytes(text));
const TYPEHASH = keccakText(`Statement(${FIELDS.map(([name, type]) => `${type} ${name}`).join()})`);
const DOMAIN_TYPEHASH = keccakText(
  "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)",
);

function word(value: bigint): Uint8Array {
  const unsigned = BigInt.asUintN(256, value);
  return bytesOf(`0x${unsigned.toString(16).padStart(64, "0")}`, 32);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** EIP-712 struct hash; `StatementRegistry.hashStatement` gives the same. */
export function statementHash(statement: Statement): Hex {
  const words = FIELDS.map(([name]) => {
    const value = statement[name];
    return typeof value === "string" ? bytesOf(value, 32) : word(BigInt(value));
  });
  return hexOf(keccak_256(joined([TYPEHASH, ...words])));
}

/** Digest that attesters sign, bound to chain and registry. */
export function statementDigest(statement: Statement, chainId: number, registry: Address): Hex {
  const domain = keccak_256(
    joined([
      DOMAIN_TYPEHASH,
      keccakText("Rentroll Statements"),
      keccakText("1"),
      word(BigInt(chainId)),
      word(BigInt(registry)),
    ]),
  );
  const head = new Uint8Array([0x19, 0x01]);
  return hexOf(keccak_256(joined([head, domain, bytesOf(statementHash(statement), 32)])));
}

/** A statement from statement.json, and the hash that the file says it has. Raises Error. */
export function parseStatement(text: string): { statement: Statement; saidHash: Hex } {
  const found = objectOf(parseJson(text), "statement.json");
  const statement: Statement = {
    facilityId: integer(found, "facility_id", 64),
    epoch: Number(integer(found, "epoch", 32)),
    epochStart: integer(found, "epoch_start_s", 64),
    epochEnd: integer(found, "epoch_end_s", 64),
    availableGpuSeconds: integer(found, "available_gpu_seconds", 64),
    availableAdjustment: integer(found, "available_adjustment", 64, true),
    billedGpuSeconds: integer(found, "billed_gpu_seconds", 64),
    grossRevenue: integer(found, "gross_revenue_micros", 128, true),
    lineCount: Number(integer(found, "line_count", 32)),
    usageRoot: hash32(found, "usage_root"),
    evidenceHash: hash32(found, "evidence_hash"),
    previousStatementHash: hash32(found, "previous_statement_hash"),
    topRenterBps: Number(integer(found, "top_renter_bps", 16)),
    committedBps: Number(integer(found, "committed_bps", 16)),
  };
  return { statement, saidHash: hash32(found, "statement_hash") };
}
