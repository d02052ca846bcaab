import type { Hex } from "viem";
import { describe, expect, it } from "vitest";
import { isContractCode, kindOfCode } from "./code";

const DELEGATE = "63c0c19a282a1b52b07dd5a65b58948a07dae32b";
const delegation: Hex = `0xef0100${DELEGATE}`;

describe("kindOfCode", () => {
  it.each([undefined, "0x"] as const)("is a key without code: %s", (code) => {
    expect(kindOfCode(code)).toBe("key");
    expect(isContractCode(code)).toBe(false);
  });

  it.each([delegation, delegation.toUpperCase().replace("0X", "0x") as Hex])(
    "is delegated with the prefix and an address: %s",
    (code) => {
      expect(kindOfCode(code)).toBe("delegated");
      expect(isContractCode(code)).toBe(false);
    },
  );

  it.each<[string, Hex]>([
    ["plain code", "0x6080604052"],
    ["one byte more than a delegation", `${delegation}00`],
    ["one byte less", delegation.slice(0, -2) as Hex],
    ["another version of the prefix", `0xef0101${DELEGATE}`],
    ["a delegation further in", `0x60${delegation.slice(2)}`],
  ])("is a contract with %s", (_, code) => {
    expect(kindOfCode(code)).toBe("contract");
    expect(isContractCode(code)).toBe(true);
  });
});
