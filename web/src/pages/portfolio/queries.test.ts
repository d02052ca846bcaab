import type { Address } from "viem";
import { describe, expect, it } from "vitest";
import { parseLeaseHash } from "../../chain/order";
import { problemWithFree } from "./UnitsInput";
import { type Live, type PositionRow, claimOrder, streamingShare } from "./queries";

const A = "0xDc64a140Aa3E981100a9becA4E685f962f0cF6C9";
const B = "0xBcd4042DE499D14e55001CcbB24a551F3b954096";

const row = (tokenId: string, claimable: number): PositionRow => ({
  token_id: tokenId,
  claimable_micros: claimable,
  facility_id: Number(BigInt(tokenId) >> 8n),
  facility_name: "harbour",
  seniority: 0,
  tranche_count: 2,
  gpu_class: "H100-SXM5-80GB",
  site: "SE-LULEA-1",
  state: "delivering",
  units: 3,
  movable: true,
  frozen_units: 0,
  streaming_micros: 0,
  claimed_micros: 0,
  accrued_micros: claimable,
  window_end_s: 1,
});

function live(...positions: [id: string, claimable: bigint, token: Address][]): Live {
  return {
    block: 1n,
    timeS: 1,
    positions: new Map(
      positions.map(([id, claimableMicros, settlementToken]) => [
        id,
        { units: 3n, claimableMicros, streamingMicros: 0n, settlementToken, expired: false },
      ]),
    ),
  };
}

describe("streamingShare", () => {
  it.each([
    [100n, 3n, 7n, 42n],
    [100n, 7n, 7n, 100n],
    [100n, 0n, 7n, 0n],
    [1n, 1n, 2n, 0n],
    // Nobody holds units: nothing streams to anybody.
    [100n, 0n, 0n, 0n],
  ])("of %s for %s units of %s is %s", (unvested, units, supply, share) => {
    expect(streamingShare(unvested, units, supply)).toBe(share);
  });

  it("never gives holders more than there is", () => {
    const shares = [1n, 2n, 4n].map((units) => streamingShare(100n, units, 7n));

    expect(shares.reduce((sum, share) => sum + share, 0n)).toBeLessThanOrEqual(100n);
  });
});

describe("claimOrder", () => {
  it("puts ids of one settlement token together, and leaves out what is empty", () => {
    const rows = ["1024", "256", "768", "512"].map((id) => row(id, 1));
    const chain = live(["256", 5n, A], ["512", 5n, B], ["768", 5n, A], ["1024", 0n, A]);

    expect(claimOrder(rows, chain)).toEqual([512n, 256n, 768n]);
  });

  it("knows a token whatever the case of its letters", () => {
    const rows = ["256", "512", "768"].map((id) => row(id, 1));
    const lower = A.toLowerCase() as Address;

    expect(claimOrder(rows, live(["256", 1n, A], ["512", 1n, B], ["768", 1n, lower]))).toEqual([
      512n,
      256n,
      768n,
    ]);
  });

  it("goes by number, not by digits", () => {
    const rows = ["1024", "256"].map((id) => row(id, 1));

    expect(claimOrder(rows, live(["1024", 1n, A], ["256", 1n, A]))).toEqual([256n, 1024n]);
  });

  it("goes by the index until the chain was read", () => {
    expect(claimOrder([row("512", 0), row("256", 7)], undefined)).toEqual([256n]);
  });
});

describe("problemWithFree", () => {
  it.each<[bigint | null, string | null]>([
    [null, "Enter a whole number of units, such as 1,200."],
    [0n, "Choose at least one unit."],
    [1_200n, null],
    [1_201n, "Only 1,200 units are free."],
  ])("of %s of 1,200 is %s", (units, problem) => {
    expect(problemWithFree(units, 1_200n)).toBe(problem);
  });
});

describe("parseLeaseHash", () => {
  const hash = `0x${"ab".repeat(32)}`;

  it.each<[string, string | null]>([
    [hash, hash],
    [`  ${hash.toUpperCase().replace("0X", "0x")}\n`, hash],
    [hash.slice(0, -1), null],
    [hash.slice(2), null],
    ["lease-1", null],
    [`0x${"0".repeat(64)}`, null],
  ])("of %s is %s", (text, parsed) => {
    expect(parseLeaseHash(text)).toBe(parsed);
  });
});
