import { describe, expect, it } from "vitest";
import { proposalSentence } from "./WalletNotice";

const PROPOSAL = {
  number: "3",
  kind: "recovery",
  to: "0xBcd4042DE499D14e55001CcbB24a551F3b954096",
  proposed_at_s: 1_800_000_000,
  opens_at_s: null,
  closes_at_s: 1_802_592_000,
};

describe("a proposal in words", () => {
  it("says who would get everything, and that nobody confirmed it", () => {
    expect(proposalSentence(PROPOSAL, true)).toBe(
      "Your wallet is said to be lost. It is proposed to recover everything of it to 0xBcd4…4096. A second role has not confirmed it yet.",
    );
  });

  it("says from when it can be done", () => {
    const confirmed = { ...PROPOSAL, kind: "beneficiary", opens_at_s: 1_800_000_000 };

    expect(proposalSentence(confirmed, false)).toMatch(
      /^This wallet is said to be a contract that cannot claim\. It is proposed to pay its money to 0xBcd4…4096\. This can be done from .*2027.*\.$/,
    );
  });
});
