import { describe, expect, it } from "vitest";
import { EPOCH_STATES } from "../generated/states";
import { epochWords } from "./epochWords";

describe("epochWords", () => {
  it.each<[number | null, bigint | undefined, string, string | null]>([
    [1_000, 1_000n, "Settled", null],
    [0, 0n, "Settled", null],
    [1_000, 600n, "Counted, 60 % paid", "warning"],
    [1_000, 999n, "Counted, 99 % paid", "warning"],
    [1_000, 1n, "Counted, <1 % paid", "warning"],
    [1_000, 0n, "Counted, not paid", "warning"],
    // Green is shown for what is known alone.
    [1_000, undefined, "Counted", "info"],
  ])("of a counted epoch of %s with %s paid is %s", (gross, paid, words, tone) => {
    expect(epochWords("settled", gross, paid)).toEqual({ words, tone });
  });

  it.each(EPOCH_STATES.filter((state) => state !== "settled"))("leaves %s as it is", (state) => {
    const { words, tone } = epochWords(state, 1_000, 0n);

    expect(words.toLowerCase()).toBe(state);
    expect(tone).toBeNull();
  });
});
