import { describe, expect, it } from "vitest";
import { quorum, webAddress } from "./attesters";

describe("quorum", () => {
  it.each([
    [2, 3, "2 of 3 attesters"],
    [1, 1, "1 of 1 attester"],
  ])("%s of %s", (threshold, seats, words) => {
    expect(quorum(threshold, seats)).toBe(words);
  });
});

describe("webAddress", () => {
  it.each<[string, string | null]>([
    ["https://attester.example/verdicts", "https://attester.example/verdicts"],
    ["http://127.0.0.1:8100/", "http://127.0.0.1:8100/"],
    ["", null],
    ["attester.example", null],
    ["javascript:alert(1)", null],
    [" JaVaScRiPt:alert(1)", null],
    ["data:text/html,x", null],
    // The host of this one is evil.example.
    ["https://rentroll.example@evil.example/", null],
    ["https://:password@evil.example/", null],
  ])("of %s is %s", (text, found) => {
    expect(webAddress(text)).toBe(found);
  });
});
