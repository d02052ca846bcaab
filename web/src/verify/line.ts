/** Lines of a statement and their leaves, as `UsageProof.leaf` and `api/domain/statements/lines.py` make them. */

import { keccak_256 } from "@noble/hashes/sha3";
import type { Hex } from "viem";
import { bytesOf, hexOf } from "./bytes";

export interface Line {
  index: number;
  kind: number;
  /** Hash of the device's name; of a difference, of its component, fixed item or fact. */
  subject: Hex;
  lease: Hex;
  startS: bigint;
  endS: bigint;
  /** GPU-seconds that count for the epoch. */
  gpuSeconds: bigint;
  /** Minor units; of a difference of either sign, 0 of neither usage nor one. */
  chargeMicros: bigint;
  cumulativeGpuSeconds: bigint;
  cumulativeChargeMicros: bigint;
}

/** Kinds by number; the order of kinds is the order of lines. */
export const KINDS = [
  "usage",
  "delivery",
  "late",
  "late_delivery",
  "void",
  "usage_difference",
  "tier_difference",
  "shortfall_difference",
  "minimum_difference",
  "sla_difference",
  "fixed_difference",
  "adjustment_difference",
] as const;
export type KindName = (typeof KINDS)[number];

/** Kinds whose GPU-seconds count for the epoch. */
export const isCounted = (kind: number): boolean => kind === 0 || kind === 1;

/** Kinds that are money of a lease, and of no device. */
export const isDifference = (kind: number): boolean => kind > 4;

const hashOf = (name: string): Hex => hexOf(keccak_256(new TextEncoder().encode(name)));

/** Subjects of differences by kind; a fixed item and an adjustment have subjects of their own. */
export const COMPONENT_SUBJECTS: Readonly<Record<number, Hex>> = {
  5: hashOf("usage"),
  6: hashOf("tier"),
  7: hashOf("shortfall"),
  8: hashOf("minimum"),
  9: hashOf("sla"),
};

const WORD = 32;
const MAX_U64 = 2n ** 64n - 1n;
const MAX_I128 = 2n ** 127n - 1n;

function fits(value: bigint, least: bigint, most: bigint, name: string): bigint {
  if (value < least || value > most) throw new Error(`${name} ${value} is beyond its type`);
  return value;
}

/**
 * Encodes lines of one facility and epoch, twelve ABI words each, into one buffer that every call overwrites: a
 * statement has up to millions of lines.
 */
export class LineEncoder {
  private readonly words = new Uint8Array(12 * WORD);
  private readonly view = new DataView(this.words.buffer);
  // The same few devices and leases come again and again.
  private readonly known = new Map<string, Uint8Array>();

  constructor(facilityId: bigint, epoch: number) {
    this.unsigned(0, fits(facilityId, 0n, MAX_U64, "facilityId"));
    this.unsigned(1, fits(BigInt(epoch), 0n, 0xffff_ffffn, "epoch"));
  }

  private unsigned(word: number, value: bigint): void {
    this.view.setBigUint64(word * WORD + 24, value);
  }

  private signed(word: number, value: bigint): void {
    const at = word * WORD;
    this.words.fill(value < 0n ? 0xff : 0, at, at + 16);
    this.view.setBigInt64(at + 16, value >> 64n);
    this.view.setBigUint64(at + 24, BigInt.asUintN(64, value));
  }

  private hash(word: number, value: Hex): void {
    let bytes = this.known.get(value);
    if (bytes === undefined) {
      bytes = bytesOf(value, WORD);
      if (this.known.size < 100_000) this.known.set(value, bytes);
    }
    this.words.set(bytes, word * WORD);
  }

  /** ABI encoding; valid until the next call. Raises Error where a number does not fit its type. */
  encode(line: Line): Uint8Array {
    this.unsigned(2, fits(BigInt(line.index), 0n, 0xffff_ffffn, "index"));
    this.unsigned(3, fits(BigInt(line.kind), 0n, 255n, "kind"));
    this.hash(4, line.subject);
    this.hash(5, line.lease);
    this.unsigned(6, fits(line.startS, 0n, MAX_U64, "start_s"));
    this.unsigned(7, fits(line.endS, 0n, MAX_U64, "end_s"));
    this.unsigned(8, fits(line.gpuSeconds, 0n, MAX_U64, "gpu_seconds"));
    this.signed(9, fits(line.chargeMicros, -MAX_I128 - 1n, MAX_I128, "charge_micros"));
    this.unsigned(10, fits(line.cumulativeGpuSeconds, 0n, MAX_U64, "cumulative_gpu_seconds"));
    this.signed(
      11,
      fits(line.cumulativeChargeMicros, -MAX_I128 - 1n, MAX_I128, "cumulative_charge_micros"),
    );
    return this.words;
  }

  /** Leaf of a line: hashed twice, so that no leaf is an inner node. */
  leaf(line: Line): Uint8Array {
    return keccak_256(keccak_256(this.encode(line)));
  }
}

/** Leaf of one line. */
export function leafOf(facilityId: bigint, epoch: number, line: Line): Uint8Array {
  return new LineEncoder(facilityId, epoch).leaf(line);
}

/** Names of fields as lines.csv and the API have them, with their values. */
export function fieldsOf(line: Line): [name: string, value: string][] {
  return [
    ["index", String(line.index)],
    ["kind", KINDS[line.kind] ?? String(line.kind)],
    ["subject", line.subject.toLowerCase()],
    ["lease", line.lease.toLowerCase()],
    ["start_s", String(line.startS)],
    ["end_s", String(line.endS)],
    ["gpu_seconds", String(line.gpuSeconds)],
    ["charge_micros", String(line.chargeMicros)],
    ["cumulative_gpu_seconds", String(line.cumulativeGpuSeconds)],
    ["cumulative_charge_micros", String(line.cumulativeChargeMicros)],
  ];
}

/** A line as the contract's `Line` tuple. */
export function lineTuple(facilityId: bigint, epoch: number, line: Line) {
  return {
    facilityId,
    epoch,
    index: line.index,
    kind: line.kind,
    subject: line.subject,
    lease: line.lease,
    start: line.startS,
    end: line.endS,
    gpuSeconds: line.gpuSeconds,
    charge: line.chargeMicros,
    cumulativeGpuSeconds: line.cumulativeGpuSeconds,
    cumulativeCharge: line.cumulativeChargeMicros,
  };
}
