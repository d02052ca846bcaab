import type { Hex, PublicClient } from "viem";
import { describe, expect, it } from "vitest";
import { type Panel, seatsNote } from "../panels";
import { chainReader } from "../registry";

const STATEMENTS = "0xDc64a140Aa3E981100a9becA4E685f962f0cF6C9";
const FACILITIES = "0xBcd4042DE499D14e55001CcbB24a551F3b954096";
const ATTESTERS = "0x5FbDB2315678afecb367f032d93F642f64180aa3";
const [FIRST, SECOND, THIRD] = [
  "0x1111111111111111111111111111111111111111",
  "0x2222222222222222222222222222222222222222",
  "0x3333333333333333333333333333333333333333",
] as const;
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
    attesterRegistry: ATTESTERS,
    epochTermsOf: { panel: 2 },
    panelOf: [[FIRST, SECOND, THIRD], 2],
    challengeWindow: 3_600,
    minimumBond: 100n,
    panelCount: 2,
    offerPanel: 2,
    bondOf: 70n,
    isAttester: false,
    urlOf: "https://attester.example",
    termsOf: {
      termsHash: hash("aa"),
      pledgeRoot: hash("bb"),
      windowStart: 1_000n,
      windowEnd: 2_000n,
      epochLength: 100,
      sealSeconds: 30,
      deviceCount: 4,
    },
    endingOf: { endedAt: 0 },
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
      panel: { number: 2, threshold: 2, attesters: [FIRST, SECOND, THIRD] },
      challengeWindowS: 3_600,
    });
    expect(reads.filter((r) => r.blockNumber !== 42n)).toEqual([]);
    // Whose signatures count is asked of the registry that the facilities' register names.
    const elsewhere = reads.filter((r) => r.address !== STATEMENTS);
    expect(elsewhere.map((r) => [r.address, r.functionName, r.args])).toEqual([
      [FACILITIES, "attesterRegistry", undefined],
      [FACILITIES, "epochTermsOf", [7n]],
      [ATTESTERS, "panelOf", [2]],
    ]);
  });

  it("says so where the chain knows no such facility: none is on panel 0", async () => {
    const { reader } = world({ epochTermsOf: { panel: 0 } });

    await expect(reader.stored(7n, 0)).rejects.toThrow("no such facility");
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

    expect(await reader.facility(7n)).toEqual({
      termsHash: hash("aa"),
      pledgeRoot: hash("bb"),
      schedule: {
        windowStartS: 1_000n,
        windowEndS: 2_000n,
        sealedAtS: 2_030n,
        epochLengthS: 100n,
        deviceCount: 4n,
        endedAtS: null,
      },
    });
    expect(reads.map((r) => [r.address, r.blockNumber])).toEqual([
      [FACILITIES, 42n],
      [FACILITIES, 42n],
    ]);
    const ended = world({ endingOf: { endedAt: 1_450 } });
    expect((await ended.reader.facility(7n))?.schedule.endedAtS).toBe(1_450n);
    const none = world({ termsOf: { termsHash: ZERO, pledgeRoot: ZERO } });
    expect(await none.reader.facility(7n)).toBeNull();
  });

  it("names every panel, and what everybody on it or asked for has at stake", async () => {
    const { reader, reads } = world();

    const found = await reader.attesters([STATEMENTS, FIRST]);

    expect(found).toMatchObject({ block: 42n, minimumBondMicros: 100n, offerPanel: 2 });
    expect(found.panels.map((p) => p.number)).toEqual([1, 2]);
    expect(found.members.map((m) => m.address)).toEqual([FIRST, SECOND, THIRD, STATEMENTS]);
    expect(found.members[0]).toEqual({
      address: FIRST,
      bondMicros: 70n,
      counts: false,
      url: "https://attester.example",
    });
    expect(reads.filter((r) => r.blockNumber !== 42n)).toEqual([]);
  });

  it("asks for no panel of offers while there is none, which would revert", async () => {
    const { reader, reads } = world({ panelCount: 0 });

    const found = await reader.attesters([]);

    expect(found).toMatchObject({ panels: [], offerPanel: null, members: [] });
    expect(reads.map((r) => r.functionName)).not.toContain("offerPanel");
  });

  it("says whether a fault was proven, and on which chain", async () => {
    const { reader } = world();

    expect(await reader.voided(hash("01"))).toBe(true);
    expect(await reader.chainId()).toBe(31_337);
  });
});

describe("seatsNote", () => {
  const panel: Panel = { number: 2, threshold: 2, attesters: [FIRST, SECOND, THIRD] };

  it("has nothing to say of enough signers that sit on the panel", () => {
    expect(seatsNote(panel, [FIRST, THIRD])).toBeNull();
    expect(seatsNote(panel, [FIRST, SECOND, THIRD])).toBeNull();
  });

  it("names those that no longer sit there, and a panel that asks for more by now", () => {
    expect(seatsNote(panel, [FIRST, STATEMENTS])).toContain(`${STATEMENTS} no longer sits there`);
    expect(seatsNote(panel, [STATEMENTS, ATTESTERS])).toContain("no longer sit there");
    expect(seatsNote({ ...panel, threshold: 3 }, [FIRST, SECOND])).toContain("3 must sign now");
  });
});
