import { zeroHash } from "viem";
import { describe, expect, it } from "vitest";
import { parseEvidenceHash } from "./evidenceHash";

const HASH = `0x${"ab".repeat(32)}`;

describe("parseEvidenceHash", () => {
  it("takes a SHA-256 whatever its letters and spaces around it", () => {
    expect(parseEvidenceHash(` ${HASH.toUpperCase().replace("0X", "0x")}\n`)).toBe(HASH);
  });

  it.each(["", "ab".repeat(32), `${HASH}0`, HASH.slice(0, -1), `0x${"xy".repeat(32)}`, zeroHash])(
    "refuses %o",
    (text) => {
      expect(parseEvidenceHash(text)).toBeNull();
    },
  );
});
