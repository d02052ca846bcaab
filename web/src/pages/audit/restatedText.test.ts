import { describe, expect, it } from "vitest";
import { ownTime, restatedText } from "./restatedText";

const ROW = {
  epoch: 4,
  closing: false,
  late_seconds: 0,
  late_delivery_seconds: 0,
  void_seconds: 0,
  rent_micros: 0,
};

describe("what a later statement says of an epoch", () => {
  it("names time of the epoch, and money of its month", () => {
    const row = { ...ROW, late_seconds: 3_600, void_seconds: 7_200, rent_micros: -2_400_000 };

    expect(restatedText(row, "mUSD")).toBe(
      "1.00 GPU-hours came late; 2.00 GPU-hours are taken back or were an outage;" +
        " rent of its month changes by −2.40 mUSD",
    );
    expect(restatedText({ ...ROW, late_delivery_seconds: 60, rent_micros: 5 }, "")).toBe(
      "0.01 GPU-hours of delivery came late; rent of its month changes by +<0.01",
    );
  });

  it("is of the epoch itself only where its time is meant", () => {
    expect(ownTime({ ...ROW, void_seconds: 1 })).toBe(true);
    expect(ownTime({ ...ROW, rent_micros: 1 })).toBe(false);
  });
});
