import { describe, expect, it } from "vitest";
import { compare, sha256Of } from "./termsCheck";

describe("sha256Of", () => {
  it("agrees with the standard's vector for abc", async () => {
    const bytes = new TextEncoder().encode("abc");

    expect(await sha256Of(bytes.buffer as ArrayBuffer)).toBe(
      "0xba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    );
  });
});

describe("compare", () => {
  it("is equal whatever the case of the hex", () => {
    expect(compare("0xAB", "0xab")).toEqual({ state: "equal" });
  });

  it("tells both hashes where they differ", () => {
    expect(compare("0xab", "0xac")).toEqual({ state: "differs", document: "0xab", chain: "0xac" });
  });
});
