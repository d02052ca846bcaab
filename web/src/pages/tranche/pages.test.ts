import { describe, expect, it } from "vitest";
import { fromTheEnd } from "./pages";

describe("fromTheEnd", () => {
  it("covers every row once, newest page first", () => {
    const pages = [0, 10, 20].map((offset) => fromTheEnd(23, offset, 10));

    expect(pages).toEqual([
      { offset: 13, limit: 10 },
      { offset: 3, limit: 10 },
      { offset: 0, limit: 3 },
    ]);
  });

  it("asks for nothing of an empty list", () => {
    expect(fromTheEnd(0, 0, 10)).toEqual({ offset: 0, limit: 0 });
  });
});
