import { describe, expect, it } from "vitest";
import { startedStatements, toComeText } from "./epochsShown";

const terms = { window_start_s: 1_000, epoch_length_s: 200 };

describe("startedStatements", () => {
  it.each([
    [0, 0],
    [999, 0],
    [1_000, 1],
    [1_199, 1],
    [1_200, 2],
    [1_599, 3],
    // Behind the third epoch the closing statement begins, and nothing after it.
    [1_600, 4],
    [9_999, 4],
  ])("at %i counts %i of three epochs and a closing statement", (now, started) => {
    expect(startedStatements(terms, 3, now)).toBe(started);
  });
});

describe("toComeText", () => {
  it.each<[number, string | null]>([
    [1, "2 epochs and the closing statement are still to come, the next"],
    [2, "1 epoch and the closing statement are still to come, the next"],
    [3, "The closing statement is still to come"],
    [4, null],
  ])("after %i of three epochs says %s", (started, expected) => {
    expect(toComeText(3, started)).toBe(expected);
  });
});
