import { describe, expect, it } from "vitest";
import { startedEpochs } from "./epochsShown";

const terms = { window_start_s: 1_000, epoch_length_s: 200, epoch_count: 3 };

describe("startedEpochs", () => {
  it.each([
    [0, 0],
    [999, 0],
    [1_000, 1],
    [1_199, 1],
    [1_200, 2],
    [1_599, 3],
    [9_999, 3],
  ])("at %i counts %i of three", (now, started) => {
    expect(startedEpochs(terms, now)).toBe(started);
  });
});
