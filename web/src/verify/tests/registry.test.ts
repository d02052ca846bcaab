import type { Hex, PublicClient } from "viem";
import { describe, expect, it } from "vitest";
import { chainReader } from "../registry";

const STATEMENTS = "0xDc64a140Aa3E981100a9becA4E685f962f0cF6C9";
const FACILITIES = "0xBcd4042DE499D14e55001CcbB24a551F3b954096";
const ZERO: Hex = `0x${"0".repeat(64)}`;
const hash = (byte: string): Hex => `0x${byte.repeat(32)}`;

interface Read {
  address: string;
  functionName: string;
  args?: readonly unknown[];
  blockNumber?: bigint;
}

/** A node with two posted statements, of epochs 0 and 1. */
function world(answers: Record<string, unknown> = {}) {
  const reads: Read[] = [];
  const known: Record<string, unknown> = {
    isFinal: true,
    signersOf: [STATEMENTS],
    threshold: 2,
    attesterCount: 3,
    challengeWindow: 3_600,
    termsOf: { termsHash: hash("aa"), pledgeRoot: hash("bb") },
    verdictOf: { barred: true },
    ...answers,
  };
  const client = {
    getBlockNumber: async () => 42n,
    getChainId: async () => 31_337,
    readContract: async (read: Read) => {
      reads.push(read);
      if (read.functionName !== "statementOf") return known[read.functionName];
      const posted = [hash("01"), hash("02")][Number(read.args?.[1])];
      return posted === undefined
        ? { statementHash: ZERO, postedAt: 0n }
        : { statementHash: posted, postedAt: 1_000n };
    },
  };
  const addresses = { statements: STATEMENTS, facilities: FACILITIES } as const;
  return { reader: chainReader(client as unknown as PublicClient, addresses), reads };
}

describe("chainReader", () => {
  it("reads a posted statement and the one before, all at one block", async () => {
    const { reader, reads } = world();

    expect(await reader.stored(7n, 1)).toEqual({
      block: 42n,
      statementHash: hash("02"),
      postedAtS: 1_000,
      previousHash: hash("01"),
      final: true,
      signers: [STATEMENTS],
      threshold: 2,
      attesterCount: 3,
      challengeWindowS: 3_600,
    });
    expect(reads.filter((r) => r.blockNumber !== 42n || r.address !== STATEMENTS)).toEqual([]);
  });

  it("has nothing before the first epoch, and nothing where none is stored", async () => {
    const { reader } = world();

    expect((await reader.stored(7n, 0)).previousHash).toBeNull();
    expect(await reader.stored(7n, 3)).toMatchObject({
      statementHash: null,
      postedAtS: null,
      previousHash: null,
    });
  });

  it("reads terms from the facility registry; a hash of zero is no facility", async () => {
    const { reader, reads } = world();

    expect(await reader.facility(7n)).toEqual({ termsHash: hash("aa"), pledgeRoot: hash("bb") });
    expect(reads.map((r) => r.address)).toEqual([FACILITIES]);
    const none = world({ termsOf: { termsHash: ZERO, pledgeRoot: ZERO } });
    expect(await none.reader.facility(7n)).toBeNull();
  });

  it("says whether a fault was proven, how many sign, and on which chain", async () => {
    const { reader } = world();

    expect(await reader.voided(hash("01"))).toBe(true);
    expect(await reader.threshold()).toEqual({ threshold: 2, members: 3 });
    expect(await reader.chainId()).toBe(31_337);
  });
});
