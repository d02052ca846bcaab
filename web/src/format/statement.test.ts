import { describe, expect, it } from "vitest";
import { type Schedule, closingNumberOf, statementName, statementWords } from "./statement";

describe("statementName", () => {
  it("calls an epoch's statement by its epoch, and the closing statement by its name", () => {
    expect(statementName({ epoch: 4, closing: false })).toBe("Epoch 4");
    expect(statementName({ epoch: 4, closing: true })).toBe("Closing statement");
    expect(statementWords({ epoch: 4, closing: false })).toBe("epoch 4");
    expect(statementWords({ epoch: 4, closing: true })).toBe("closing statement");
  });
});

describe("closingNumberOf", () => {
  // Three epochs of 200 seconds, and a seal of 50.
  const facility: Schedule = {
    window_start_s: 1_000,
    window_end_s: 1_600,
    epoch_length_s: 200,
    seal_s: 50,
    ending: null,
  };

  it.each<[string, number | null, number | null]>([
    ["of one that delivers is the number of epochs", null, 3],
    ["of one that matured too", 1_700, 3],
    ["of one that ended within its seal too", 1_649, 3],
    ["of one that ended in its window is that of the epochs that were over", 1_599, 2],
    ["counts an epoch that was over in the second of the end", 1_400, 2],
    ["is none where no epoch was over", 1_199, null],
    ["is none where the window had not begun", 900, null],
  ])("%s", (_, endedAtS, expected) => {
    const ending = endedAtS === null ? null : { ended_at_s: endedAtS };

    expect(closingNumberOf({ ...facility, ending })).toBe(expected);
  });
});
