import { type Abi, type Hex, type Log, encodeFunctionData, zeroHash } from "viem";
import { describe, expect, it } from "vitest";
import { contractAt, decodeCall, decodeEvent, textOf } from "./decode";
import { erc20Abi, primarySaleAbi } from "../../chain/abis";
import { CONTRACTS, logOf } from "./logs.fixture";

const SALE = CONTRACTS.PrimarySale;
const BUYER = "0xBcd4042DE499D14e55001CcbB24a551F3b954096";

describe("contractAt", () => {
  it("finds a contract whatever the case of its letters", () => {
    expect(contractAt(CONTRACTS, SALE.toUpperCase().replace("0X", "0x") as Hex)).toBe(
      "PrimarySale",
    );
  });

  it("knows no stranger, and no creation", () => {
    expect(contractAt(CONTRACTS, BUYER)).toBeNull();
    expect(contractAt(CONTRACTS, null)).toBeNull();
  });
});

describe("decodeCall", () => {
  const data = encodeFunctionData({
    abi: primarySaleAbi as unknown as Abi,
    functionName: "buy",
    args: [256n, 3n, 4_500_000n],
  });

  it("names function and arguments", () => {
    expect(decodeCall(CONTRACTS, SALE, data)).toEqual({
      contract: "PrimarySale",
      functionName: "buy",
      args: [
        { name: "id", type: "uint256", value: 256n },
        { name: "units", type: "uint256", value: 3n },
        { name: "maxCost", type: "uint256", value: 4_500_000n },
      ],
    });
  });

  it.each<[string, Hex]>([
    ["no calldata", "0x"],
    ["an unknown function", "0xdeadbeef"],
    ["arguments that end early", data.slice(0, 80) as Hex],
  ])("is null for %s", (_, input) => {
    expect(decodeCall(CONTRACTS, SALE, input)).toBeNull();
  });

  it("is null for another contract's call", () => {
    expect(decodeCall(CONTRACTS, BUYER, data)).toBeNull();
    expect(decodeCall(CONTRACTS, CONTRACTS.AccessManager, data)).toBeNull();
  });
});

describe("decodeEvent", () => {
  const log = logOf("SettlementToken", erc20Abi as unknown as Abi, "Transfer", {
    from: BUYER,
    to: SALE,
    value: 4_500_000n,
  });

  it("names event and arguments, indexed ones too", () => {
    expect(decodeEvent(CONTRACTS, log)).toEqual({
      contract: "SettlementToken",
      eventName: "Transfer",
      args: { from: BUYER, to: SALE, value: 4_500_000n },
    });
  });

  it.each<[string, Partial<Log>]>([
    ["of a stranger", { address: BUYER }],
    ["of the access manager", { address: CONTRACTS.AccessManager }],
    ["with an unknown topic", { topics: [zeroHash] }],
    ["without topics", { topics: [] }],
    ["with data that ends early", { data: "0x" }],
  ])("is null for a log %s", (_, change) => {
    expect(decodeEvent(CONTRACTS, { ...log, ...change })).toBeNull();
  });
});

describe("textOf", () => {
  it.each<[unknown, string]>([
    [12n, "12"],
    ["0xab", "0xab"],
    [[1n, 2n], "[1, 2]"],
    [{ units: 3n, prices: [4n] }, "{units: 3, prices: [4]}"],
    [false, "false"],
  ])("%s", (value, text) => {
    expect(textOf(value)).toBe(text);
  });
});
