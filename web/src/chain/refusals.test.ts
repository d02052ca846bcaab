import {
  type Abi,
  BaseError,
  RpcRequestError,
  UserRejectedRequestError,
  encodeErrorResult,
  type Hex,
  zeroHash,
  type AbiParameter,
} from "viem";
import { describe, expect, it } from "vitest";
import { errorsAbi } from "./abis";
import { isUnsupported, refusalOfData, sentenceOf, wasDeclined } from "./refusals";
import { SENTENCES } from "./sentences";

const ACCOUNT = "0xBcd4042DE499D14e55001CcbB24a551F3b954096";
const HASH: Hex = `0x${"cd".repeat(32)}`;

/** A value of a type, as a contract would give it. */
function sample({ type }: AbiParameter): unknown {
  if (type === "address") return ACCOUNT;
  if (type === "bool") return true;
  if (type === "string") return "closesAt";
  if (type.startsWith("bytes")) return `0x${"ab".repeat(Number(type.slice(5)) || 32)}`;
  const bits = Number(/\d+$/.exec(type)?.[0] ?? "256");
  return bits > 48 ? 1_700_000_000n : 3;
}

function dataOf(error: (typeof errorsAbi)[number]): Hex {
  return encodeErrorResult({ abi: [error], errorName: error.name, args: error.inputs.map(sample) });
}

describe("sentences", () => {
  it.each(errorsAbi.map((e) => [e.name, e] as const))("%s has one of its own", (name, error) => {
    const refusal = refusalOfData(dataOf(error));

    expect(SENTENCES[name]).toBeDefined();
    expect(refusal?.name).toBe(name);
    expect(refusal?.sentence).toMatch(/^\S.*\.$/);
    expect(refusal?.sentence).not.toMatch(/0x[0-9a-fA-F]{9,}|undefined|NaN|\[object/);
    expect(refusal?.sentence).not.toContain(name);
  });

  it("names no error that the contracts do not have", () => {
    const names = new Set([...errorsAbi.map((e) => e.name), "Error", "Panic"]);

    expect(Object.keys(SENTENCES).filter((name) => !names.has(name))).toEqual([]);
  });

  it.each<[string, readonly unknown[], string]>([
    ["QuorumMissing", [1n, 2n], "1 attester signed; 2 are needed."],
    ["QuorumMissing", [2n, 0n], "No panel of attesters signs for this facility."],
    [
      "StatementNotPosted",
      [HASH, zeroHash],
      "Another statement of this number is posted: 0xcdcd…cdcd.",
    ],
    [
      "SharesNotOpen",
      [7n, 1_700_000_000n],
      "Signed credits come first: shares of what they leave are paid back from 2023-11-14 22:13 UTC.",
    ],
    ["PanelUnknown", [1, 0], "There is no panel of attesters yet."],
    [
      "AttesterLiable",
      [ACCOUNT, 2n ** 64n - 1n],
      "This bond answers for signed statements as long as its attester is a member.",
    ],
    [
      "BondBelowMinimum",
      [ACCOUNT, 70_000_000n, 100_000_000n],
      "Signatures of 0xBcd4…4096 do not count: its bond is 70.00, and 100.00 are the least.",
    ],
    [
      "NotOnPanel",
      [ACCOUNT, 2],
      "0xBcd4…4096 has no seat on panel 2, which signs for this facility.",
    ],
  ])("%s of %o says what it is", (errorName, args, sentence) => {
    const data = encodeErrorResult({ abi: errorsAbi as Abi, errorName, args });

    expect(refusalOfData(data)?.sentence).toBe(sentence);
  });

  it("says what is left, in figures", () => {
    const error = errorsAbi.find((e) => e.name === "UnitsAboveCap");
    const data = encodeErrorResult({
      abi: errorsAbi,
      errorName: "UnitsAboveCap",
      args: [256n, 5_000n, 1_234n],
    });

    expect(error).toBeDefined();
    expect(refusalOfData(data)?.sentence).toBe("Only 1,234 units are left; 5,000 were asked for.");
  });
});

describe("sentenceOf", () => {
  const data = encodeErrorResult({ abi: errorsAbi, errorName: "EnforcedPause" });

  it("finds revert data that a wallet nests", () => {
    const plain = { code: -32603, message: "Internal", data: { code: 3, data } };

    expect(sentenceOf(plain).name).toBe("EnforcedPause");
  });

  it("finds revert data behind layers that have none", () => {
    const inner = new RpcRequestError({
      body: {},
      error: { code: 3, message: "execution reverted", data },
      url: "http://127.0.0.1",
    });
    const outer = Object.assign(new BaseError("outer", { cause: inner }), { data: undefined });

    expect(sentenceOf(outer).name).toBe("EnforcedPause");
  });

  it("tells a person's no from a refusal", () => {
    const no = new BaseError("x", { cause: new UserRejectedRequestError(new Error("no")) });

    expect(wasDeclined(no)).toBe(true);
    expect(sentenceOf(no).name).toBe("Declined");
    expect(wasDeclined({ code: 4100 })).toBe(false);
  });

  it("knows what wallets answer", () => {
    expect(sentenceOf({ code: -32002 }).name).toBe("WalletBusy");
    expect(sentenceOf(new Error("insufficient funds for gas")).name).toBe("InsufficientFunds");
    expect(sentenceOf(new Error("nonce too low")).name).toBe("NonceTaken");
    expect(isUnsupported({ code: 4200 })).toBe(true);
  });

  it("reads require strings and panics", () => {
    const text = encodeErrorResult({
      abi: [{ type: "error", name: "Error", inputs: [{ name: "m", type: "string" }] }],
      errorName: "Error",
      args: ["too late"],
    });

    expect(sentenceOf({ data: text }).sentence).toBe("The contract refused: too late.");
    expect(refusalOfData("0xdeadbeef")).toBeNull();
  });
});
