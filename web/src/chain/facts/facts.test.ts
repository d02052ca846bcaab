import { type Address, BaseError, ContractFunctionRevertedError, type PublicClient } from "viem";
import { describe, expect, it } from "vitest";
import { FACILITY_STATES, SALE_STATES } from "../../generated/states";
import { readApproval, readSeats } from "./attesters";
import { readBond } from "./bond";
import { readCoin, readFunds } from "./coin";
import { readGpuSeconds, readVoucher } from "./desk";
import { readInvestor } from "./investors";
import {
  readBook,
  readClaims,
  readClosableFrom,
  readOwed,
  readSettleable,
  readVoucherMoney,
} from "./lockbox";
import { type Pinned, pinned } from "./pinned";
import {
  facilityStateOf,
  readDefaultNoticedAt,
  readEnding,
  readFacilityState,
  readOffer,
  readTrancheTerms,
} from "./registry";
import { readHasSale, readReleasable, readSale } from "./sale";
import {
  readCumulativeGross,
  readClosingStatement,
  readEpochsPosted,
  readFinalGross,
  readOpenness,
} from "./statements";
import { readHolding, readPaused } from "./token";

const CONTRACT: Address = "0xDc64a140Aa3E981100a9becA4E685f962f0cF6C9";
const ACCOUNT: Address = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
const ANSWERS: Record<string, unknown> = {
  bookOf: { state: 1, soldUnits: 3, proceeds: 30n, counted: 20n, released: 4n, returned: 5n },
  saleTermsOf: {
    opensAt: 100n,
    closesAt: 200n,
    floorProceeds: 2n,
    upFrontBps: 1_000,
    unitPrices: [10n, 9n],
  },
  stateOf: 3,
  termsOf: {
    gpuOperator: ACCOUNT,
    settlementToken: CONTRACT,
    windowStart: 1n,
    windowEnd: 101n,
    expiresAt: 3n,
    epochLength: 10,
    patienceSeconds: 20,
    sealSeconds: 25,
    longStopSeconds: 30,
    deviceCount: 7,
    promisedAvailabilityPpm: 990_000,
    feeBps: 100,
    attesterFeeBps: 4_000,
  },
  tranchesOf: [{ unitCap: 7, couponPerUnit: 8n }],
  bondOf: 11n,
  hasTerms: true,
  bondTermsOf: { requiredBond: 12n, ratePerGpuHour: 13n },
  isSufficient: false,
  voucherOf: { owedGpuSeconds: 9, servedGpuSeconds: 5 },
  endingOf: { fundedAt: 1, endedAt: 2, closedAt: 0, unpaidNoticedAt: 0 },
  defaultNoticedAt: 0n,
  opennessOf: { firstOpen: 3, voidedAt: 0, rejectedAt: 4, rejections: 1 },
  finalTotals: [2, 5n, 6n],
  statementOf: { postedAt: 7n, cumulativeGross: 8n },
  claimsOf: { units: [1n, 2n, 0n, 0n], vouchers: [0n, 3n, 0n, 0n], treasury: 4n },
  closableFrom: 0n,
  attesterRegistry: CONTRACT,
  pledgeRegistry: CONTRACT,
  epochTermsOf: { panel: 2 },
  panelOf: [[ACCOUNT], 1],
  pledgesOf: [{ approvedAt: 9 }, { approvedAt: 11 }],
  isAttester: false,
  urlOf: "https://attester.example",
  investorOf: { expiresAt: 0n, country: 0 },
  canSend: true,
  canReceive: false,
};

const PANEL = { number: 2, threshold: 1, attesters: [ACCOUNT] };

interface Read {
  functionName: string;
  blockNumber?: bigint;
}

/** A node that answers by function name and remembers what was asked. */
async function nodeAt(answers: Record<string, unknown> = ANSWERS) {
  const reads: Read[] = [];
  const client = {
    getBlock: async () => ({ number: 42n, timestamp: 1_000n }),
    readContract: async (read: Read) => {
      reads.push(read);
      return answers[read.functionName] ?? 1n;
    },
  };
  return { at: await pinned(client as unknown as PublicClient), reads };
}

describe("chain facts", () => {
  it.each<[string, (at: Pinned) => Promise<unknown>]>([
    ["readSale", (at) => readSale(at, CONTRACT, 1n)],
    ["readHasSale", (at) => readHasSale(at, CONTRACT, 1n)],
    ["readReleasable", (at) => readReleasable(at, CONTRACT, 1n)],
    ["readFacilityState", (at) => readFacilityState(at, CONTRACT, 1n)],
    ["readOffer", (at) => readOffer(at, CONTRACT, 1n)],
    ["readTrancheTerms", (at) => readTrancheTerms(at, CONTRACT, 1n)],
    ["readBond", (at) => readBond(at, CONTRACT, 1n)],
    ["readFunds", (at) => readFunds(at, CONTRACT, ACCOUNT, CONTRACT)],
    ["readVoucher", (at) => readVoucher(at, CONTRACT, 1n)],
    ["readEnding", (at) => readEnding(at, CONTRACT, 1n)],
    ["readDefaultNoticedAt", (at) => readDefaultNoticedAt(at, CONTRACT, 1n, 2)],
    ["readOpenness", (at) => readOpenness(at, CONTRACT, 1n)],
    ["readFinalGross", (at) => readFinalGross(at, CONTRACT, 1n)],
    ["readEpochsPosted", (at) => readEpochsPosted(at, CONTRACT, 1n)],
    ["readCumulativeGross", (at) => readCumulativeGross(at, CONTRACT, 1n, 2)],
    ["readBook", (at) => readBook(at, CONTRACT, 1n)],
    ["readClosableFrom", (at) => readClosableFrom(at, CONTRACT, 1n)],
    ["readClaims", (at) => readClaims(at, CONTRACT, 1n)],
    ["readVoucherMoney", (at) => readVoucherMoney(at, CONTRACT, 1n)],
    ["readGpuSeconds", (at) => readGpuSeconds(at, CONTRACT, 1n, 2n)],
    ["readInvestor", (at) => readInvestor(at, CONTRACT, ACCOUNT)],
    ["readSettleable", (at) => readSettleable(at, CONTRACT, 1n)],
    ["readOwed", (at) => readOwed(at, CONTRACT, CONTRACT, ACCOUNT)],
    ["readClosingStatement", (at) => readClosingStatement(at, CONTRACT, 1n)],
    ["readHolding", (at) => readHolding(at, CONTRACT, ACCOUNT, 256n)],
    ["readApproval", (at) => readApproval(at, CONTRACT, 1n)],
    ["readSeats", (at) => readSeats(at, CONTRACT, PANEL)],
    ["readPaused", (at) => readPaused(at, CONTRACT)],
  ])("%s reads at the pinned block alone", async (_, read) => {
    const { at, reads } = await nodeAt();

    await read(at);

    expect(reads.length).toBeGreaterThan(0);
    expect(reads.filter((r) => r.blockNumber !== 42n)).toEqual([]);
  });

  it("names a sale's figures", async () => {
    const { at } = await nodeAt();

    expect(await readSale(at, CONTRACT, 1n)).toEqual({
      state: "open",
      opensAtS: 100,
      closesAtS: 200,
      floorMicros: 2n,
      upFrontBps: 1_000,
      unitPricesMicros: [10n, 9n],
      soldUnits: 3n,
      proceedsMicros: 30n,
      countedMicros: 20n,
      releasedMicros: 4n,
      returnedMicros: 5n,
    });
  });

  it("knows no sale where the contract has none, and no state that it does not know", async () => {
    const book = ANSWERS["bookOf"] as object;
    const withState = async (state: number) =>
      readSale((await nodeAt({ ...ANSWERS, bookOf: { ...book, state } })).at, CONTRACT, 1n);

    expect(await withState(0)).toBeNull();
    await expect(withState(SALE_STATES.length)).rejects.toThrow("state 4");
    expect(() => facilityStateOf(FACILITY_STATES.length)).toThrow("state 8");
  });

  it.each([
    [false, false, "missing"],
    [true, false, "posted"],
    [true, true, "final"],
  ])("of a closing statement posted %s and final %s says %s", async (posted, final, expected) => {
    const { at } = await nodeAt({ isClosingPosted: posted, isClosingFinal: final });

    expect(await readClosingStatement(at, CONTRACT, 1n)).toBe(expected);
  });

  it("reads the seal beside patience and long stop", async () => {
    const { at } = await nodeAt();

    expect(await readOffer(at, CONTRACT, 1n)).toMatchObject({
      patienceS: 20,
      sealS: 25,
      longStopS: 30,
    });
  });

  it("reads the fee, and the share of it that attesters earn", async () => {
    const { at } = await nodeAt();

    expect(await readOffer(at, CONTRACT, 1n)).toMatchObject({ feeBps: 100, attesterFeeBps: 4_000 });
  });

  it("takes a time of zero as never", async () => {
    const { at } = await nodeAt();

    expect(await readEnding(at, CONTRACT, 1n)).toEqual({
      fundedAtS: 1,
      endedAtS: 2,
      closedAtS: null,
      unpaidNoticedAtS: null,
    });
    expect(await readDefaultNoticedAt(at, CONTRACT, 1n, 2)).toBeNull();
    expect(await readClosableFrom(at, CONTRACT, 1n)).toBeNull();
    expect(await readOpenness(at, CONTRACT, 1n)).toEqual({
      firstOpen: 3,
      voidedAtS: null,
      rejectedAtS: 4,
    });
  });

  it("names what stays owed after a closing, by rank", async () => {
    expect(await readClaims((await nodeAt()).at, CONTRACT, 1n)).toEqual({
      unitsMicros: [1n, 2n, 0n, 0n],
      vouchersMicros: [0n, 3n, 0n, 0n],
      treasuryMicros: 4n,
    });
    expect(await readFinalGross((await nodeAt()).at, CONTRACT, 1n)).toBe(6n);
  });

  it("takes a bond without terms as not agreed", async () => {
    const none = { ...ANSWERS, hasTerms: false };

    expect((await readBond((await nodeAt(none)).at, CONTRACT, 1n)).terms).toBeNull();
    expect((await readBond((await nodeAt()).at, CONTRACT, 1n)).terms).toEqual({
      requiredMicros: 12n,
      rateMicrosPerGpuHour: 13n,
    });
  });

  it("knows the approval of an offer, which is its first pledge, from none", async () => {
    const none = { ...ANSWERS, pledgesOf: [] };

    expect(await readApproval((await nodeAt()).at, CONTRACT, 1n)).toEqual({
      panel: PANEL,
      approvedAtS: 9,
    });
    expect((await readApproval((await nodeAt(none)).at, CONTRACT, 1n)).approvedAtS).toBeNull();
    expect(await readSeats((await nodeAt()).at, CONTRACT, PANEL)).toEqual([
      { address: ACCOUNT, counts: false, url: "https://attester.example" },
    ]);
  });

  it("knows an entry of the allow-list from none", async () => {
    const entry = { ...ANSWERS, investorOf: { expiresAt: 9n, country: 752 } };

    expect(await readInvestor((await nodeAt()).at, CONTRACT, ACCOUNT)).toEqual({
      canSend: true,
      canReceive: false,
      expiresAtS: null,
      country: null,
    });
    expect(await readInvestor((await nodeAt(entry)).at, CONTRACT, ACCOUNT)).toMatchObject({
      expiresAtS: 9,
      country: 752,
    });
  });

  it("names a coin, at no block in particular", async () => {
    const { at, reads } = await nodeAt({ symbol: "mUSD", decimals: 6 });

    const coin = await readCoin(at.client, CONTRACT);

    expect(coin).toEqual({ address: CONTRACT, symbol: "mUSD", decimals: 6 });
    expect(reads.every((read) => read.blockNumber === undefined)).toBe(true);
  });

  it("takes a refusal of the desk as an answer, and a failure of the node as one", async () => {
    const failing = (error: Error): Pinned => ({
      client: { readContract: async () => Promise.reject(error) } as unknown as PublicClient,
      blockNumber: 42n,
      timeS: 1_000,
    });
    const refused = new BaseError("x", {
      cause: new ContractFunctionRevertedError({ abi: [], functionName: "gpuSecondsDown" }),
    });

    expect(await readGpuSeconds(failing(refused), CONTRACT, 1n, 2n)).toBeNull();
    await expect(readGpuSeconds(failing(new Error("gone")), CONTRACT, 1n, 2n)).rejects.toThrow(
      "gone",
    );
  });
});
