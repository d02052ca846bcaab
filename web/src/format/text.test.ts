import { describe, expect, it } from "vitest";
import { partsOfTokenId, sentenceCase, short } from "./text";

describe("text", () => {
  it("shortens what is long, and nothing else", () => {
    expect(short("0x70997970c51812dc3a010c7d01b50e0d17dc79c8")).toBe("0x7099…79c8");
    expect(short("0x12345678")).toBe("0x12345678");
  });

  it("takes an ERC-1155 id apart", () => {
    expect(partsOfTokenId("257")).toEqual({ facilityId: "1", seniority: 1 });
    expect(partsOfTokenId(String((7n << 8n) | 3n))).toEqual({ facilityId: "7", seniority: 3 });
  });

  it("begins a sentence", () => {
    expect(sentenceCase("take_or_pay")).toBe("Take or pay");
  });
});
