import { describe, expect, it } from "vitest";
import { span } from "./time";

const MIDNIGHT = 1_790_035_200;

describe("span", () => {
  it("is two dates, or one date with its hours", () => {
    expect(span(MIDNIGHT, MIDNIGHT + 86_400)).toBe("2026-09-22 – 2026-09-23");
    expect(span(MIDNIGHT + 3_600, MIDNIGHT + 7_260)).toBe("2026-09-22, 01:00 – 02:01 UTC");
  });
});
