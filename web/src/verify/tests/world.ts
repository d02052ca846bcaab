/** A service and a chain that hold the golden epochs of the first seed: what pages talk to, without a network. */

import type { Hex } from "viem";
import { fieldsOf } from "../line";
import { parseLines } from "../linesCsv";
import type { JudgeSources } from "../judge";
import { bytesOf, hexOf } from "../bytes";
import { leafOf } from "../line";
import { verifyProof } from "../merkle";
import type { ChainReader } from "../registry";
import { statementHash } from "../statement";
import { parseFacility } from "../evidence";
import type { Schedule } from "../period";
import { EVIDENCE, golden, goldenPledgeRoot, statementIn } from "./vectors";

const EPOCHS = [0, 1, 2, 3];
const ATTESTERS = ([1, 2, 3] as const).map((n): Hex => `0x${String(n).repeat(40)}`);
const encode = (text: string) => new TextEncoder().encode(text);

/** Files of the service by path. */
export function publishedFiles(): Map<string, string> {
  const files = new Map([["facility-7/facility.json", EVIDENCE.facility.text]]);
  for (const epoch of EPOCHS) {
    for (const [name, text] of Object.entries(golden(epoch).files)) {
      files.set(`facility-7/epoch-0000${epoch}/${name}`, text);
    }
  }
  return files;
}

/** Window, seal and devices of the golden facility, as the chain has them. */
export function goldenSchedule(endedAtS: bigint | null = null): Schedule {
  const { devices, windowStartS, windowEndS, sealedAtS, epochLengthS } = parseFacility(
    EVIDENCE.facility.text,
  );
  const deviceCount = BigInt(devices.length);
  return { windowStartS, windowEndS, sealedAtS, epochLengthS, deviceCount, endedAtS };
}

/** What contracts store; `stored` can be changed, as a chain that holds something else, up to the number `last`. */
export function goldenChain(
  stored: (epoch: number) => Hex | null = (e) => golden(e).statement_hash,
  { last = 3, schedule = goldenSchedule() }: { last?: number; schedule?: Schedule } = {},
): ChainReader {
  return {
    stored: (_, epoch) =>
      Promise.resolve({
        block: 9n,
        statementHash: epoch <= last ? stored(epoch) : null,
        postedAtS: 1,
        previousHash: epoch === 0 ? null : stored(epoch - 1),
        final: true,
        signers: [],
        panel: { number: 1, threshold: 2, attesters: ATTESTERS },
        challengeWindowS: 3_600,
      }),
    facility: () => {
      const { terms_hash: termsHash } = EVIDENCE.facility;
      return Promise.resolve({ termsHash, pledgeRoot: goldenPledgeRoot(), schedule });
    },
    verifyLine: (statement, line, proof) => {
      if (statementHash(statement) !== stored(statement.epoch))
        throw new Error("StatementHashWrong");
      const leaf = leafOf(statement.facilityId, statement.epoch, line);
      const nodes = proof.map((node) => bytesOf(node, 32));
      return Promise.resolve(verifyProof(bytesOf(statement.usageRoot, 32), leaf, nodes));
    },
    voided: () => Promise.resolve(false),
    chainId: () => Promise.resolve(EVIDENCE.chain_id),
    attesters: () => Promise.reject(new Error("no check asks who attests")),
  };
}

export function goldenSources(
  chain: ChainReader = goldenChain(),
  files: Map<string, string> = publishedFiles(),
): JudgeSources {
  const start = Number(statementIn(golden(0)).epochStart);
  return {
    chain,
    chainName: "a node",
    spans: () =>
      Promise.resolve([
        { facilityId: 7n, windowStartS: start, epochLengthS: 3_600, epochsClosed: 4, closing: 4 },
      ]),
    evidence: (path) => {
      const text = files.get(path);
      return text === undefined
        ? Promise.reject(new Error(`no ${path}`))
        : Promise.resolve(encode(text));
    },
    proof: ({ epoch }, index) => {
      if (!EPOCHS.includes(epoch)) return Promise.resolve(null);
      const line = parseLines(golden(epoch).files["lines.csv"])[index];
      if (line === undefined) return Promise.resolve(null);
      return Promise.resolve({
        line: Object.fromEntries(fieldsOf(line)),
        proof: golden(epoch).proofs[index] ?? [],
      });
    },
  };
}

/** A line of a golden epoch as the API's proof, without its place. */
export function proofText(
  epoch: number,
  index: number,
  change: Record<string, string> = {},
): string {
  const line = parseLines(golden(epoch).files["lines.csv"])[index];
  if (line === undefined) throw new Error("no such line");
  return JSON.stringify({
    line: { ...Object.fromEntries(fieldsOf(line)), ...change },
    leaf: hexOf(leafOf(7n, epoch, line)),
    proof: golden(epoch).proofs[index],
    root: golden(epoch).root,
  });
}
