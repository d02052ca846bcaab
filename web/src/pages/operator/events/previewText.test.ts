import { describe, expect, it } from "vitest";
import {
  type Foreseen,
  type Preview,
  foreseenTexts,
  refusalOf,
  shownJson,
  unforeseenText,
  waitingText,
} from "./previewText";

const FIGURES = {
  gross_micros: 24_000_000,
  billed_gpu_seconds: 86_400,
  available_gpu_seconds: 345_600,
  available_adjustment: 0,
  held_back_micros: 0,
};
const foreseen = (after: object, more: object = {}): Foreseen => ({
  epoch: 3,
  closing: false,
  start_s: 0,
  end_s: 1,
  cut_off_s: 2,
  before: FIGURES,
  after: { ...FIGURES, ...after },
  changes: [],
  changes_left_off: 0,
  ...more,
});
const preview = (more: object): Preview => ({
  batch: { accepted: 1, duplicates: 0, rejected: 0, results: [] },
  recorded_at_s: 0,
  statements: [],
  unforeseen: null,
  waiting: 0,
  assumes: "",
  ...more,
});

describe("a preview", () => {
  it("says what the statement's sum becomes, and by how much", () => {
    expect(foreseenTexts(foreseen({ gross_micros: 14_000_000 }), "mUSD")).toEqual([
      "Epoch 3 would state 14.00 mUSD in place of 24.00: 10.00 less.",
    ]);
    expect(foreseenTexts(foreseen({ gross_micros: 25_000_000 }, { closing: true }), "")).toEqual([
      "The closing statement would state 25.00 in place of 24.00: 1.00 more.",
    ]);
    expect(foreseenTexts(foreseen({}), "mUSD")).toEqual([
      "Epoch 3 would state the same as without it.",
    ]);
  });

  it("says what waits because no statement is below zero, and what no longer does", () => {
    const [, waits] = foreseenTexts(
      foreseen({ gross_micros: 0, held_back_micros: 5_000_000 }),
      "mUSD",
    );
    const freed = { ...FIGURES, held_back_micros: 5_000_000 };
    const [, goes] = foreseenTexts(foreseen({ gross_micros: 1 }, { before: freed }), "mUSD");

    expect(waits).toMatch(/^5\.00 mUSD of what is owed back waits/);
    expect(goes).toMatch(/^5\.00 mUSD of what waits to go back would go back now/);
  });

  it("says what becomes of availability, of its own time and of earlier", () => {
    const texts = foreseenTexts(
      foreseen({ available_gpu_seconds: 342_000, available_adjustment: -7_200 }),
      "mUSD",
    );

    expect(texts.slice(1)).toEqual([
      "Available of its time: 95.00 GPU-hours in place of 96.00.",
      "Available of earlier epochs: −2.00 GPU-hours to be added, in place of 0.00.",
    ]);
  });

  it("says why an event would not be taken, and what no figure shows", () => {
    const results = [
      { index: 0, source: "s", id: "i", status: "rejected", code: "sealed", detail: "too late" },
    ];
    const batch = { accepted: 0, duplicates: 0, rejected: 1, results };

    expect(refusalOf(preview({ batch }))).toEqual({ code: "sealed", detail: "too late" });
    expect(refusalOf(preview({}))).toBeNull();
    expect(unforeseenText(preview({ unforeseen: "nothing_new" }))).toMatch(/already/);
    expect(unforeseenText(preview({ unforeseen: "too_many_facts" }))).toMatch(/more facts/);
    expect(unforeseenText(preview({}))).toBeNull();
    expect(waitingText(preview({ waiting: 1 }))).toMatch(/later time/);
    expect(waitingText(preview({}))).toBeNull();
  });
});

describe("an event as it was sent", () => {
  it("hides nothing and turns nothing round", () => {
    expect(shownJson({ a: "x\u202Ey\u200Bz" })).toBe('{\n  "a": "x\\u202ey\\u200bz"\n}');
  });
});
