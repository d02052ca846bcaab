import { StandardMerkleTree } from "@openzeppelin/merkle-tree";
import { decodeAbiParameters, hashTypedData, parseAbiParameters, zeroHash } from "viem";
import { describe, expect, it } from "vitest";
import { bytesOf, hexOf } from "../bytes";
import { type Line, leafOf, lineTuple } from "../line";
import { parseLines } from "../linesCsv";
import { MerkleTree, rootOfProof, verifyProof, walkProof } from "../merkle";
import { pledgeLeaf, pledgeRoot } from "../pledge";
import { statementDigest, statementHash } from "../statement";
import { EVIDENCE, FAULTS, golden, pledgeTree, statementIn } from "./vectors";

const LINE_TYPES = [
  "uint64",
  "uint32",
  "uint32",
  "uint8",
  "bytes32",
  "bytes32",
  "uint64",
  "uint64",
  "uint64",
  "int128",
  "uint64",
  "int128",
];

const STATEMENT_STRUCT =
  "struct Statement { uint64 facilityId; uint32 epoch; uint64 epochStart; uint64 epochEnd; uint64 availableGpuSeconds; int64 availableAdjustment; uint64 billedGpuSeconds; int128 grossRevenue; uint32 lineCount; bytes32 usageRoot; bytes32 evidenceHash; bytes32 previousStatementHash; uint16 topRenterBps; uint16 committedBps; }";
const LINE_STRUCT =
  "struct Line { uint64 facilityId; uint32 epoch; uint32 index; uint8 kind; bytes32 subject; bytes32 lease; uint64 start; uint64 end; uint64 gpuSeconds; int128 charge; uint64 cumulativeGpuSeconds; int128 cumulativeCharge; }";

function made(index: number, change: Partial<Line> = {}): Line {
  return {
    index,
    kind: index % 2 === 0 ? 0 : 3,
    subject: hexOf(new Uint8Array(32).fill(index + 1)),
    lease: hexOf(new Uint8Array(32).fill(255 - (index % 250))),
    startS: 1_767_225_600n,
    endS: 1_767_225_660n,
    gpuSeconds: 60n,
    chargeMicros: index % 2 === 0 ? 1_000n : -1_000n,
    cumulativeGpuSeconds: 60n * BigInt(index + 1),
    cumulativeChargeMicros: -5n + BigInt(index),
    ...change,
  };
}

const oz = (lines: Line[], facilityId = 7n, epoch = 2) =>
  StandardMerkleTree.of(
    lines.map((line) => Object.values(lineTuple(facilityId, epoch, line))),
    LINE_TYPES,
  );
const ours = (lines: Line[], facilityId = 7n, epoch = 2) =>
  MerkleTree.of(lines.map((line) => leafOf(facilityId, epoch, line)));

describe("golden vectors of Python", () => {
  const [cases] = decodeAbiParameters(
    parseAbiParameters([
      "Case[] cases",
      "struct Case { Statement statement; Line line; bytes32 statementHash; bytes32 leaf; uint8 fault; }",
      STATEMENT_STRUCT,
      LINE_STRUCT,
    ]),
    FAULTS.lines,
  );

  it("give the leaf and the statement hash of every case, out to the bounds of the types", () => {
    expect(cases).toHaveLength(100);
    for (const { statement, line, statementHash: hash, leaf } of cases) {
      const own: Line = {
        index: line.index,
        kind: line.kind,
        subject: line.subject,
        lease: line.lease,
        startS: line.start,
        endS: line.end,
        gpuSeconds: line.gpuSeconds,
        chargeMicros: line.charge,
        cumulativeGpuSeconds: line.cumulativeGpuSeconds,
        cumulativeChargeMicros: line.cumulativeCharge,
      };
      expect(hexOf(leafOf(line.facilityId, line.epoch, own))).toBe(leaf);
      expect(statementHash(statement)).toBe(hash);
    }
  });

  it("give root, proofs, statement hash and digest of whole epochs", () => {
    for (const epoch of EVIDENCE.epochs) {
      const statement = statementIn(epoch);
      const lines = parseLines(epoch.files["lines.csv"]);
      const leaves = lines.map((line) => leafOf(statement.facilityId, statement.epoch, line));
      const tree = MerkleTree.of(leaves);
      expect(hexOf(tree.root)).toBe(epoch.root);
      expect(lines.map((_, i) => tree.proof(i).map(hexOf))).toEqual(epoch.proofs);
      expect(statementHash(statement)).toBe(epoch.statement_hash);
      expect(statementDigest(statement, EVIDENCE.chain_id, EVIDENCE.registry)).toBe(epoch.digest);
      expect(statementDigest(statement, 1, EVIDENCE.registry)).not.toBe(epoch.digest);
    }
  });
});

describe("a statement below zero", () => {
  it("has the digest that wallets make of it by the types of EIP-712", () => {
    const message = {
      ...statementIn(golden(3)),
      grossRevenue: -7_000_000n,
      availableAdjustment: -60n,
    };
    const fields = /\{ (.*); \}/.exec(STATEMENT_STRUCT)?.[1]?.split("; ") ?? [];
    const Statement = fields.map((field) => {
      const [type = "", name = ""] = field.split(" ");
      return { type, name };
    });

    const theirs = hashTypedData({
      domain: {
        name: "Rentroll Statements",
        version: "1",
        chainId: EVIDENCE.chain_id,
        verifyingContract: EVIDENCE.registry,
      },
      types: { Statement },
      primaryType: "Statement",
      message,
    });

    expect(statementDigest(message, EVIDENCE.chain_id, EVIDENCE.registry)).toBe(theirs);
  });
});

describe("pledges", () => {
  it("have the leaves and the root of OpenZeppelin's tree, for any number of devices", () => {
    for (const count of [1, 2, 3, 5, 8, 13]) {
      const devices = Array.from({ length: count }, (_, i) =>
        hexOf(new Uint8Array(32).fill(200 - i)),
      );
      const theirs = pledgeTree(2n ** 64n - 1n, devices);

      expect(hexOf(pledgeRoot(2n ** 64n - 1n, devices))).toBe(theirs.root);
      devices.forEach((device, i) => {
        expect(hexOf(pledgeLeaf(2n ** 64n - 1n, i, device))).toBe(
          theirs.leafHash([2n ** 64n - 1n, i, device, device, 0]),
        );
      });
      expect(hexOf(pledgeRoot(7n, devices))).not.toBe(theirs.root);
    }
  });

  it("name the card of a slice", () => {
    const hash = (n: number) => hexOf(new Uint8Array(32).fill(n));
    const [devices, cards] = [[1, 2, 3].map(hash), [9, 8, 9].map(hash)];
    const theirs = pledgeTree(7n, devices, cards);

    expect(hexOf(pledgeRoot(7n, devices, cards))).toBe(theirs.root);
    expect(hexOf(pledgeRoot(7n, devices))).not.toBe(theirs.root);
  });
});

describe("trees", () => {
  it("equal OpenZeppelin's for odd and even counts, with every proof", { timeout: 30_000 }, () => {
    for (const count of [1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 16, 17, 21]) {
      const lines = Array.from({ length: count }, (_, i) => made(i));
      const theirs = oz(lines);
      const tree = ours(lines);
      expect(hexOf(tree.root)).toBe(theirs.root);
      lines.forEach((line, i) => {
        const proof = tree.proof(i);
        expect(proof.map(hexOf)).toEqual(theirs.getProof(i));
        expect(verifyProof(tree.root, leafOf(7n, 2, line), proof)).toBe(true);
      });
    }
  });

  it("have root zero without lines, and the leaf as root of one line", () => {
    expect(hexOf(MerkleTree.of([]).root)).toBe(zeroHash);
    const leaf = leafOf(7n, 2, made(0));
    expect(hexOf(MerkleTree.of([leaf]).root)).toBe(hexOf(leaf));
    expect(MerkleTree.of([leaf]).proof(0)).toEqual([]);
    expect(() => MerkleTree.of([leaf]).proof(1)).toThrow(RangeError);
  });

  it("refuse equal leaves, and do not depend on the order of leaves", () => {
    const lines = Array.from({ length: 7 }, (_, i) => made(i));
    const leaves = lines.map((line) => leafOf(7n, 2, line));
    expect(hexOf(MerkleTree.of([...leaves].reverse()).root)).toBe(
      hexOf(MerkleTree.of(leaves).root),
    );
    expect(() => MerkleTree.of([...leaves, leaves[3] as Uint8Array])).toThrow(
      "two leaves are equal",
    );
  });

  it("change their root with any field of any line, with the facility and with the epoch", () => {
    const lines = Array.from({ length: 9 }, (_, i) => made(i));
    const roots = new Set([
      hexOf(ours(lines).root),
      hexOf(ours(lines, 8n).root),
      hexOf(ours(lines, 7n, 3).root),
    ]);
    const other = hexOf(new Uint8Array(32).fill(99));
    const changes: Partial<Line>[] = [
      { index: 77 },
      { kind: 4 },
      { subject: other },
      { lease: other },
      { startS: 1n },
      { endS: 2n },
      { gpuSeconds: 61n },
      { chargeMicros: 1n },
      { cumulativeGpuSeconds: 0n },
      { cumulativeChargeMicros: 7n },
    ];
    for (const change of changes) {
      roots.add(
        hexOf(ours(lines.map((line, i) => (i === 4 ? { ...line, ...change } : line))).root),
      );
    }
    expect(roots.size).toBe(3 + changes.length);
  });
});

describe("proofs", () => {
  const epoch = golden(0);
  const statement = statementIn(epoch);
  const lines = parseLines(epoch.files["lines.csv"]);
  const root = bytesOf(epoch.root, 32);
  const proof = (epoch.proofs[1] ?? []).map((node) => bytesOf(node, 32));
  const line = lines[1] as Line;

  it("hold for the line and fail for another line, facility, epoch, order or length", () => {
    const leaf = leafOf(statement.facilityId, statement.epoch, line);
    expect(verifyProof(root, leaf, proof)).toBe(true);
    expect(
      verifyProof(root, leafOf(statement.facilityId, statement.epoch, lines[0] as Line), proof),
    ).toBe(false);
    expect(verifyProof(root, leafOf(statement.facilityId + 1n, statement.epoch, line), proof)).toBe(
      false,
    );
    expect(verifyProof(root, leafOf(statement.facilityId, statement.epoch + 1, line), proof)).toBe(
      false,
    );
    expect(
      verifyProof(
        root,
        leafOf(statement.facilityId, statement.epoch, {
          ...line,
          chargeMicros: line.chargeMicros + 1n,
        }),
        proof,
      ),
    ).toBe(false);
    expect(verifyProof(root, leaf, [...proof].reverse())).toBe(false);
    expect(verifyProof(root, leaf, proof.slice(1))).toBe(false);
    expect(verifyProof(root, leaf, [])).toBe(false);
  });

  it("are walked step by step up to the root", () => {
    const leaf = leafOf(statement.facilityId, statement.epoch, line);
    const steps = walkProof(leaf, proof);
    expect(steps).toHaveLength(proof.length);
    expect(hexOf(steps[0]?.node ?? root)).toBe(hexOf(leaf));
    expect(hexOf(steps[steps.length - 1]?.parent ?? leaf)).toBe(epoch.root);
    expect(hexOf(rootOfProof(leaf, proof))).toBe(epoch.root);
  });
});

describe("leaves", () => {
  it("refuse numbers beyond their type instead of cutting them", () => {
    const leaf = (change: Partial<Line>) => () => leafOf(7n, 2, made(0, change));
    expect(leaf({ gpuSeconds: 2n ** 64n })).toThrow("gpu_seconds");
    expect(leaf({ startS: -1n })).toThrow("start_s");
    expect(leaf({ chargeMicros: 2n ** 127n })).toThrow("charge_micros");
    expect(leaf({ cumulativeChargeMicros: -(2n ** 127n) - 1n })).toThrow(
      "cumulative_charge_micros",
    );
    expect(leaf({ index: 2 ** 32 })).toThrow("index");
    expect(leaf({ kind: 256 })).toThrow("kind");
    expect(leaf({ subject: "0x12" })).toThrow("32 bytes");
    expect(() => leafOf(2n ** 64n, 0, made(0))).toThrow("facilityId");
  });

  it("do not depend on the case of hashes", () => {
    const device = `0x${"ab".repeat(32)}` as const;
    const upper = `0x${"AB".repeat(32)}` as const;
    expect(leafOf(7n, 2, made(0, { subject: upper }))).toEqual(
      leafOf(7n, 2, made(0, { subject: device })),
    );
  });
});
