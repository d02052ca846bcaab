import {
  type Abi,
  type AbiEvent,
  type Hex,
  encodeErrorResult,
  stringToHex,
  zeroAddress,
  zeroHash,
} from "viem";
import { describe as group, expect, it } from "vitest";
import type { ContractName } from "../../api/config";
import { statementRegistryAbi } from "../../chain/abis";
import { ABI_OF, decodeEvent } from "./decode";
import { describe, sentencesWith } from "./describe";
import { CONTRACTS, logOf, sampleOf } from "./logs.fixture";

/** Events that are shown by their name: inherited from libraries, and emitted by none of our functions. */
const WITHOUT_SENTENCE = ["EIP712DomainChanged", "URI"];

const HOLDER = "0xBcd4042DE499D14e55001CcbB24a551F3b954096";
const OTHER = "0xDc64a140Aa3E981100a9becA4E685f962f0cF6C9";

const HASH: Hex = `0x${"cd".repeat(32)}`;

const SENTENCES = sentencesWith(String);
const eventsOf = (abi: Abi) => abi.filter((e): e is AbiEvent => e.type === "event");
const EVENTS = Object.entries(ABI_OF).flatMap(([contract, abi]) =>
  eventsOf(abi).map((event) => [contract as ContractName, event.name, event, abi] as const),
);

/** The sentence of a log, the whole way from its bytes. */
function say(
  contract: Exclude<ContractName, "AccessManager">,
  eventName: string,
  args: Record<string, unknown>,
): string {
  const event = decodeEvent(CONTRACTS, logOf(contract, ABI_OF[contract], eventName, args));
  if (event === null) throw new Error("not decoded");
  return describe(event, "mUSD", CONTRACTS);
}

group("events of the contracts", () => {
  it.each(EVENTS)("%s: %s is told, or wanted without a sentence", (_, name) => {
    expect(Object.hasOwn(SENTENCES, name)).toBe(!WITHOUT_SENTENCE.includes(name));
  });

  it.each(EVENTS)("%s: %s reads well from a log", (contract, name, event, abi) => {
    const args = Object.fromEntries(event.inputs.map((i) => [i.name, sampleOf(i)]));
    const decoded = decodeEvent(CONTRACTS, logOf(contract, abi, name, args));
    expect(decoded?.eventName).toBe(name);
    if (decoded === null) return;

    const sentence = describe(decoded, "mUSD", CONTRACTS);

    expect(sentence).toMatch(/^\S.*[^.]\.$/);
    expect(sentence).not.toMatch(/undefined|NaN|null|Invalid|\[object|0x[0-9a-fA-F]{9,}|\s\s/);
  });

  it("has no sentence of an event that no contract emits", () => {
    const names = new Set(EVENTS.map(([, name]) => name));

    expect(Object.keys(SENTENCES).filter((name) => !names.has(name))).toEqual([]);
    expect(WITHOUT_SENTENCE.filter((name) => !names.has(name))).toEqual([]);
  });
});

group("describe", () => {
  const single = { operator: HOLDER, id: 257n, value: 12n };

  it.each([
    [zeroAddress, OTHER, "12 units of tranche 257 (facility 1, rank 1) minted to 0xDc64…F6C9."],
    [HOLDER, zeroAddress, "12 units of tranche 257 (facility 1, rank 1) of 0xBcd4…4096 burned."],
    [
      HOLDER,
      OTHER,
      "0xBcd4…4096 sent 12 units of tranche 257 (facility 1, rank 1) to 0xDc64…F6C9.",
    ],
  ])("tells units from %s to %s", (from, to, sentence) => {
    expect(say("TrancheToken", "TransferSingle", { ...single, from, to })).toBe(sentence);
  });

  it("adds a batch of claims up, and names another receiver", () => {
    const batch = { holder: HOLDER, ids: [256n, 512n], amounts: [1_500_000n, 1n] };

    expect(say("TrancheToken", "RevenueClaimedBatch", { ...batch, to: HOLDER })).toBe(
      "0xBcd4…4096 took 1.500001 mUSD of revenue: 1.500000 from tranche 256, 0.000001 from tranche 512.",
    );
    expect(say("TrancheToken", "RevenueClaimedBatch", { ...batch, to: OTHER })).toMatch(
      /, sent to 0xDc64…F6C9\.$/,
    );
  });

  it.each([
    [0, "for compute"],
    [1, "after the offer was cancelled"],
    [2, "for a refund"],
  ])("says why units left: %s", (reason, words) => {
    const burned = { holder: HOLDER, id: 256n, units: 5n, reason };

    expect(say("TrancheToken", "UnitsBurned", burned)).toContain(words);
  });

  it("tells what a closing gave, what it paid for renters and what stays owed", () => {
    const closing = {
      missingGpuSeconds: 72_000n,
      bond: 30_000_000n,
      escrow: 24_000_000n,
      advanced: 5_000_000n,
      toUnits: [20_000_000n, 10_000_000n, 0n, 0n],
      toVouchers: [4_000_000n, 0n, 0n, 0n],
      toTreasury: 1_000_000n,
      toOperator: 14_000_000n,
    };
    const owed = { units: [0n, 2_000_000n, 0n, 0n], vouchers: [1n, 0n, 0n, 0n], treasury: 0n };
    const nothing = [0n, 0n, 0n, 0n];
    const close = (change: object, claims: object) =>
      say("RentLockbox", "FacilityClosed", {
        facilityId: 7n,
        closing: { ...closing, ...change },
        claims,
      });

    expect(close({}, owed)).toBe(
      "Facility 7 was closed: a bond of 30.000000 mUSD and 24.000000 mUSD of unearned proceeds went out, 30.000000 mUSD to units, 4.000000 mUSD to vouchers, 1.000000 mUSD to the treasury, 14.000000 mUSD to the operator; 5.000000 mUSD of the bond paid rent that renters owe; 2.000001 mUSD stay owed.",
    );
    expect(
      close(
        { advanced: 0n, toVouchers: nothing, toTreasury: 0n },
        { units: nothing, vouchers: nothing, treasury: 0n },
      ),
    ).toMatch(/30\.000000 mUSD to units, 14\.000000 mUSD to the operator\.$/);
    expect(
      say("RentLockbox", "LateRentShared", {
        facilityId: 7n,
        amount: 0n,
        toUnits: nothing,
        toVouchers: nothing,
        toTreasury: 0n,
        toOperator: 0n,
      }),
    ).toMatch(/nothing to anybody\.$/);
  });

  it("writes times without an end in words", () => {
    const forever = { attester: HOLDER, activeFrom: 1_700_000_000, activeUntil: 2 ** 40 - 1 };
    const entry = { account: HOLDER, agent: OTHER, country: 752, canSend: true, canReceive: false };

    expect(say("AttesterRegistry", "AttesterPeriodSet", forever)).not.toContain("until");
    expect(say("InvestorRegistry", "InvestorSet", { ...entry, expiresAt: 2n ** 64n - 1n })).toMatch(
      /may send, may not receive, until further notice\.$/,
    );
  });

  it("says who sits on a panel, and how many of them sign", () => {
    const panel = { panel: 2, attesters: [HOLDER, OTHER, HOLDER], threshold: 2 };

    expect(say("AttesterRegistry", "PanelSet", { ...panel, from: 1_700_000_000 })).toBe(
      "Panel 2 has 3 seats from 2023-11-14 22:13 UTC on, for 0xBcd4…4096, 0xDc64…F6C9, 0xBcd4…4096: 2 must sign.",
    );
  });

  it("tells why a statement of a batch was not posted, as far as the error is known", () => {
    const skipped = { facilityId: 7n, epoch: 3 };
    const of = (reason: Hex) =>
      say("StatementRegistry", "StatementSkipped", { ...skipped, reason });
    const error = encodeErrorResult({
      abi: statementRegistryAbi,
      errorName: "EpochOutOfOrder",
      args: [7n, 2, 3],
    });

    expect(of(error)).toBe(
      "Statement 3 of facility 7 was not posted with the others of its batch: The next statement is number 2.",
    );
    expect(of("0x")).toMatch(/: the contract gave no reason that is known here\.$/);
  });

  const refusal = {
    facilityId: 7n,
    epoch: 3,
    attester: HOLDER,
    statementHash: HASH,
    evidenceHash: HASH,
    previousStatementHash: zeroHash,
    code: 1,
    place: zeroHash,
  };
  const refused = (change: object) =>
    say("AttesterDesk", "StatementRefused", { ...refusal, ...change });

  it.each([
    [1, "the statement does not follow from the evidence"],
    [2, "the evidence contradicts what the attester saw before"],
    [3, "the evidence could not be had a day after its hash stood on-chain"],
    [9, "its reason is not known here"],
  ])("tells refusal code %s in words", (code, words) => {
    expect(refused({ code })).toBe(
      `The attester 0xBcd4…4096 refused statement 3 of facility 7: ${words}.`,
    );
  });

  it.each<[string, Hex, RegExp]>([
    ["no place", zeroHash, /the evidence\.$/],
    [
      "a place that ends in a zero",
      stringToHex("lines.csv:10", { size: 32 }),
      / \(lines\.csv:10\)\.$/,
    ],
    ["a place that fills its word", stringToHex("l".repeat(32)), / \(l{32}\)\.$/],
    [
      "bytes that are no text",
      `0x${"ab".repeat(32)}`,
      / \(at a place that is not written as text\)\.$/,
    ],
    [
      "a zero inside",
      `0x610062${"00".repeat(29)}`,
      / \(at a place that is not written as text\)\.$/,
    ],
  ])("tells where an attester looked: %s", (_, place, words) => {
    expect(refused({ place })).toMatch(words);
  });

  it("tells a refusal of evidence alone from one of a statement", () => {
    expect(refused({ statementHash: zeroHash })).toContain(
      "refused the evidence for statement 3 of facility 7: ",
    );
  });

  it("tells how fees are split, and what an attester earned", () => {
    const split = { token: OTHER, toAttesters: 400_000n, toTreasury: 600_000n };
    const paid = { attester: HOLDER, amount: 100_000n, earned: 300_000n };

    expect(say("AttesterDesk", "FeesSplit", { facilityId: 7n, ...split })).toBe(
      "Fees of facility 7 were split: 0.400000 mUSD for its attesters, 0.600000 mUSD for the treasury.",
    );
    expect(say("AttesterDesk", "AttesterPaid", { facilityId: 7n, ...paid })).toBe(
      "The attester 0xBcd4…4096 can withdraw 0.100000 mUSD more: it earned 0.300000 mUSD of the fees of facility 7 so far.",
    );
  });

  it("tells the pledge of an offer from one that takes its place", () => {
    const pledge = { facilityId: 7n, pledgeRoot: zeroHash, number: 3n, attesters: [HOLDER, OTHER] };
    const of = (fromEpoch: number) =>
      say("PledgeRegistry", "PledgeApproved", { ...pledge, fromEpoch });

    expect(of(0)).toBe("2 attesters approved the devices of facility 7.");
    expect(of(4)).toBe("2 attesters approved the devices of facility 7 from epoch 4 on.");
  });

  it("shortens what an attester wrote as its address, and knows none from one", () => {
    const of = (url: string) =>
      say("AttesterRegistry", "AttesterUrlSet", { attester: HOLDER, url });

    expect(of(`https://a.example/${"x".repeat(500)}`).length).toBeLessThan(160);
    expect(of("")).toContain("names no address any more");
  });

  it("names contracts of ours, and allowances without a limit", () => {
    const approval = { owner: CONTRACTS.RentLockbox, spender: CONTRACTS.TrancheToken };

    expect(say("SettlementToken", "Approval", { ...approval, value: 2n ** 256n - 1n })).toBe(
      "RentLockbox lets TrancheToken take any amount of mUSD.",
    );
    expect(say("SettlementToken", "Approval", { ...approval, value: 5_000_000n })).toBe(
      "RentLockbox lets TrancheToken take 5.000000 mUSD.",
    );
  });

  it("shows an event without a sentence by its name", () => {
    const event = { contract: "TrancheToken", eventName: "EIP712DomainChanged", args: {} } as const;

    expect(describe(event, "mUSD", CONTRACTS)).toBe("Eip712 domain changed.");
  });
});
