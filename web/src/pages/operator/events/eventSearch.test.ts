import { describe, expect, it } from "vitest";
import { addressOf, fieldsOf, searchErrors, searchOf } from "./eventSearch";

const NOTHING = fieldsOf({});

describe("a search of events", () => {
  it("goes from the form into the address and back", () => {
    const typed = { ...NOTHING, kind: "usage", device: " GPU-1 ", from: "2026-12-01T00:00" };

    const search = searchOf(new URLSearchParams(addressOf(typed)));

    expect(search).toEqual({ kind: "usage", device: "GPU-1", from_s: 1_796_083_200 });
    expect(fieldsOf(search)).toEqual({ ...typed, device: "GPU-1" });
  });

  it("leaves out of an address what is no kind or time", () => {
    const params = new URLSearchParams("kind=everything&from=yesterday&section=events&before=7-3");

    expect(searchOf(params)).toEqual({ before: "7-3" });
  });

  it("says what does not go together, before it is asked", () => {
    expect(searchErrors(NOTHING)).toEqual({});
    expect(searchErrors({ ...NOTHING, id: "e1", source: "c" })).toEqual({});
    expect(searchErrors({ ...NOTHING, source: "c" })).toHaveProperty("id");
    expect(searchErrors({ ...NOTHING, id: "e1", lease: "a" })).toHaveProperty("id");
    expect(searchErrors({ ...NOTHING, kind: "terms", device: "GPU-1" })).toHaveProperty("kind");
    expect(searchErrors({ ...NOTHING, kind: "terms", lease: "a" })).toEqual({});
    expect(searchErrors({ ...NOTHING, to: "2026-02-31T00:00" })).toHaveProperty("to");
  });
});
