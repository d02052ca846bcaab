/** A closing statement behind the golden epochs, below zero: what a service publishes of it, and what a chain stores. */

import type { Hex } from "viem";
import { hexOf } from "../bytes";
import { COMMITTED_FILES, FORMAT, pathOf, sha256 } from "../evidence";
import type { JudgeSources } from "../judge";
import { COMPONENT_SUBJECTS, type Line, fieldsOf, leafOf } from "../line";
import { LINES_HEADER, parseLines } from "../linesCsv";
import { MerkleTree } from "../merkle";
import type { Schedule } from "../period";
import { type Statement, statementHash } from "../statement";
import { EVIDENCE, golden } from "./vectors";
import { goldenChain, goldenSchedule, goldenSources, publishedFiles } from "./world";

/** The golden facility has four epochs. */
export const NUMBER = 4;
const FACILITY = 7n;
const encode = (text: string) => new TextEncoder().encode(text);

/** A late line of the second epoch, and two differences, one of them of the seal: −7.00 in all. */
function closingLines({ windowStartS, epochLengthS, sealedAtS }: Schedule): Line[] {
  const first = parseLines(golden(3).files["lines.csv"])[0];
  if (first === undefined) throw new Error("the golden epoch has no line");
  const startS = windowStartS + epochLengthS;
  const usage = COMPONENT_SUBJECTS[5] ?? first.subject;
  const minimum = COMPONENT_SUBJECTS[8] ?? first.subject;
  const none = { gpuSeconds: 0n, cumulativeGpuSeconds: 0n, lease: first.lease };
  return [
    { ...none, index: 0, kind: 2, subject: first.subject, startS, endS: startS + 60n },
    { ...none, index: 1, kind: 5, subject: usage, startS, endS: startS + epochLengthS },
    { ...none, index: 2, kind: 8, subject: minimum, startS: sealedAtS - 60n, endS: sealedAtS },
  ].map((line, i) => ({
    ...line,
    chargeMicros: [0n, -9_000_000n, 2_000_000n][i] ?? 0n,
    cumulativeChargeMicros: [0n, -9_000_000n, -7_000_000n][i] ?? 0n,
  }));
}

/** statement.json of a statement, as the service writes it. */
function jsonOf(s: Statement): string {
  const found = {
    available_adjustment: s.availableAdjustment,
    available_gpu_seconds: s.availableGpuSeconds,
    billed_gpu_seconds: s.billedGpuSeconds,
    committed_bps: s.committedBps,
    epoch: s.epoch,
    epoch_end_s: s.epochEnd,
    epoch_start_s: s.epochStart,
    evidence_hash: s.evidenceHash,
    facility_id: s.facilityId,
    gross_revenue_micros: s.grossRevenue,
    line_count: s.lineCount,
    previous_statement_hash: s.previousStatementHash,
    statement_hash: statementHash(s),
    top_renter_bps: s.topRenterBps,
    usage_root: s.usageRoot,
  };
  return JSON.stringify(found, (_, value: unknown) =>
    typeof value === "bigint" ? Number(value) : value,
  );
}

export interface Closed {
  statement: Statement;
  lines: Line[];
  files: Map<string, string>;
  sources: JudgeSources;
}

/** The golden world with a closing statement behind it. `change` is what the statement says otherwise. */
export async function closedWorld(
  change: Partial<Statement> = {},
  endedAtS: bigint | null = null,
): Promise<Closed> {
  const schedule = goldenSchedule(endedAtS);
  const lines = closingLines(schedule);
  const csv = `${[LINES_HEADER, ...lines.map(rowOf)].join("\n")}\n`;
  const files = publishedFiles();
  const manifest = await manifestOf(csv);
  const tree = MerkleTree.of(lines.map((line) => leafOf(FACILITY, NUMBER, line)));
  const statement: Statement = {
    facilityId: FACILITY,
    epoch: NUMBER,
    epochStart: schedule.windowEndS,
    epochEnd: schedule.sealedAtS,
    availableGpuSeconds: 0n,
    availableAdjustment: -60n,
    billedGpuSeconds: 0n,
    grossRevenue: -7_000_000n,
    lineCount: lines.length,
    usageRoot: hexOf(tree.root),
    evidenceHash: await sha256(encode(manifest)),
    previousStatementHash: golden(3).statement_hash,
    topRenterBps: 10_000,
    committedBps: 0,
    ...change,
  };
  const own = { ...golden(3).files, "lines.csv": csv, "manifest.json": manifest };
  for (const [name, text] of Object.entries(own)) files.set(pathOf(FACILITY, NUMBER, name), text);
  files.set(pathOf(FACILITY, NUMBER, "statement.json"), jsonOf(statement));
  files.set(pathOf(FACILITY, NUMBER, "attestations.json"), "[]\n");
  const stored = (epoch: number): Hex =>
    epoch === NUMBER ? statementHash(statement) : golden(epoch).statement_hash;
  const chain = goldenChain(stored, { last: NUMBER, schedule });
  const golds = goldenSources(chain, files);
  return {
    statement,
    lines,
    files,
    sources: {
      ...golds,
      proof: (place, index) => {
        const line = lines[index];
        if (place.epoch !== NUMBER) return golds.proof(place, index);
        if (line === undefined) return Promise.resolve(null);
        return Promise.resolve({
          line: Object.fromEntries(fieldsOf(line)),
          proof: tree.proof(index).map(hexOf),
        });
      },
    },
  };
}

/** A line as its row of lines.csv. */
export function rowOf(line: Line): string {
  return fieldsOf(line)
    .map(([name, value]) => (name === "kind" ? String(line.kind) : value))
    .join(",");
}

async function manifestOf(csv: string): Promise<string> {
  const texts = { ...golden(3).files, "facility.json": EVIDENCE.facility.text, "lines.csv": csv };
  const names = COMMITTED_FILES;
  const files = await Promise.all(
    names.map(async (name) => {
      const bytes = encode(texts[name as keyof typeof texts] ?? "");
      return { bytes: bytes.length, name, sha256: (await sha256(bytes)).slice(2) };
    }),
  );
  return JSON.stringify({ epoch: NUMBER, facility_id: 7, files, format: FORMAT });
}
