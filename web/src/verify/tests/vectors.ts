/** Golden files that Python wrote: `python -m tests.evidence_vectors` and `python -m tests.fault_vectors`. */

import { StandardMerkleTree } from "@openzeppelin/merkle-tree";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Address, Hex } from "viem";
import { type Statement, parseStatement } from "../statement";
import { parseFacility } from "../evidence";
import type { LinesJob } from "../recompute";

export interface GoldenEpoch {
  files: Record<string, string> & {
    "lines.csv": string;
    "statement.json": string;
    "manifest.json": string;
  };
  statement_hash: Hex;
  digest: Hex;
  root: Hex;
  proofs: Hex[][];
}

interface GoldenEvidence {
  chain_id: number;
  registry: Address;
  facility: { text: string; terms_hash: Hex };
  epochs: GoldenEpoch[];
}

function read(name: string): unknown {
  return JSON.parse(readFileSync(resolve("../tests/vectors", name), "utf8")) as unknown;
}

export const EVIDENCE = read("evidence.json") as GoldenEvidence;
export const FAULTS = read("faults.json") as Record<"lines", Hex>;

/** The pledge of an offer as OpenZeppelin's tree, by the types of the contract's leaf. */
export function pledgeTree(
  facilityId: bigint,
  devices: readonly Hex[],
  cards: readonly Hex[] = devices,
) {
  return StandardMerkleTree.of<unknown[]>(
    devices.map((device, i) => [facilityId, i, device, cards[i], 0]),
    ["uint64", "uint32", "bytes32", "bytes32", "uint32"],
  );
}

/** Root over the devices of the golden facility. */
export function goldenPledgeRoot(): Hex {
  const { devices } = JSON.parse(EVIDENCE.facility.text) as { devices: Hex[] };
  return pledgeTree(7n, devices).root as Hex;
}

/** An epoch of the golden file. */
export function golden(place: number): GoldenEpoch {
  const found = EVIDENCE.epochs[place];
  if (found === undefined) throw new Error(`no golden epoch ${place}`);
  return found;
}

export function statementIn(epoch: GoldenEpoch): Statement {
  return parseStatement(epoch.files["statement.json"]).statement;
}

/** What recomputes a golden epoch, with another text of its lines where given. */
export function jobOf(epoch: GoldenEpoch, text = epoch.files["lines.csv"]): LinesJob {
  const s = statementIn(epoch);
  return {
    facilityId: s.facilityId,
    bounds: { epoch: s.epoch, startS: s.epochStart, endS: s.epochEnd },
    text,
    facility: parseFacility(EVIDENCE.facility.text),
  };
}
