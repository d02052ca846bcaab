import { describe, expect, it } from "vitest";
import { ApiProblem } from "../../../api/client";
import { actorText, endOf, keyBody, refusedText, scopesText, stateWord } from "./keyTexts";

const NOW_S = 1_800_000_000;
const FIELDS = { name: "collector-oslo", scopes: ["events:write"], days: "" } as const;

describe("the form of a key as a body", () => {
  it("names scopes and, where chosen, an end by the wall clock", () => {
    expect(keyBody(FIELDS, NOW_S).body).toEqual({
      name: "collector-oslo",
      scopes: ["events:write"],
    });
    expect(keyBody({ ...FIELDS, name: " a ", days: "30" }, NOW_S).body).toEqual({
      name: "a",
      scopes: ["events:write"],
      expires_at: "2027-02-14T08:00:00Z",
    });
  });

  it.each(["", "   ", "x".repeat(81), "a\u0000b", "a\nb", "a\u202eb", "a\u2028b"])(
    "refuses the name %j",
    (name) => {
      expect(keyBody({ ...FIELDS, name }, NOW_S).errors).toEqual({
        name: "1 to 80 printable characters.",
      });
    },
  );

  it("wants at least one scope", () => {
    expect(keyBody({ ...FIELDS, scopes: [] }, NOW_S).errors).toEqual({
      scopes: "Choose what it may do.",
    });
  });
});

describe("keys in words", () => {
  it("says what a key may do, the least first, whatever the order", () => {
    expect(scopesText(["read", "events:write"])).toBe("Push metering, read");
    expect(scopesText(["keys:write"])).toBe("Manage keys");
    expect(scopesText([])).toBe("");
  });

  it("ends at the earlier of expiry and revocation", () => {
    expect(endOf({ expires_at_s: null, revoked_at_s: null })).toBeNull();
    expect(endOf({ expires_at_s: 9, revoked_at_s: null })).toBe(9);
    expect(endOf({ expires_at_s: 9, revoked_at_s: 5 })).toBe(5);
  });

  it("leaves wallets and keys to be shown as such", () => {
    expect(actorText("0xabc")).toBeNull();
    expect(actorText("rr_op_4fZkTq81LmXc")).toBeNull();
    expect(actorText("setting")).toBe("the admin");
    expect(actorText("something new")).toBe("something new");
  });

  it("has a word for every state, and shows one that it does not know", () => {
    expect(stateWord("ending")).toEqual({ word: "Ending", tone: "warning" });
    expect(stateWord("lost").word).toBe("lost");
  });
});

describe("a refusal", () => {
  const problem = (reason: string | null) =>
    new ApiProblem(409, "conflict", "a live key has this name", "name", [], reason);

  it("is a sentence by its reason, or the service's own", () => {
    expect(refusedText(problem("name_taken"))).toBe("Another key that works has this name.");
    expect(refusedText(problem(null))).toBe("a live key has this name.");
    expect(refusedText(new Error("offline"))).toBe("The service cannot be reached: offline");
  });
});
