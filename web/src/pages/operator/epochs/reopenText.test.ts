import { describe, expect, it } from "vitest";
import { ApiProblem } from "../../../api/client";
import { refusedText, statementRange, waitsText } from "./reopenText";

const problem = (code: string, reason: string | null) =>
  new ApiProblem(409, code, "the service's words", null, [], reason);

describe("refusedText", () => {
  // Every reason that POST …/reopen documents.
  const REASONS = [
    "not_voided",
    "not_next",
    "void_not_final",
    "posting_under_way",
    "books_changed",
  ];

  it("has words of its own for every documented reason", () => {
    const texts = REASONS.map((reason) => refusedText(problem("conflict", reason)));

    expect(new Set(texts).size).toBe(REASONS.length);
    for (const text of texts) expect(text).not.toContain("the service's words");
  });

  it("repeats the service where it knows no better", () => {
    expect(refusedText(problem("conflict", "brand_new"))).toBe("the service's words.");
    expect(refusedText(problem("misconfigured", null))).toBe("the service's words.");
  });

  it("tells a lost connection from a refusal", () => {
    expect(refusedText(new TypeError("Failed to fetch"))).toBe(
      "The service cannot be reached: Failed to fetch",
    );
  });
});

describe("waitsText", () => {
  it("is silent where nothing waits", () => {
    expect(waitsText(null)).toBeNull();
    expect(waitsText("now")).toBeNull();
    expect(waitsText("void_not_final")).toBe("can be reopened once the proof is final");
  });
});

describe("statementRange", () => {
  it("names one epoch, or the first and the last", () => {
    expect(statementRange(3, 3, 2_000)).toBe("epoch 3");
    expect(statementRange(3, 1_200, 2_000)).toBe("epochs 3 to 1,200");
  });

  it("names the closing statement for what it is, and no epoch", () => {
    expect(statementRange(4, 4, 4)).toBe("the closing statement");
    expect(statementRange(3, 4, 4)).toBe("epoch 3 and the closing statement");
    expect(statementRange(1, 4, 4)).toBe("epochs 1 to 3 and the closing statement");
  });
});
