import { describe, expect, it } from "vitest";
import {
  type OfferFields,
  capacityHours,
  facilityBody,
  offerDefaults,
  splitCapacity,
  windowEndS,
} from "./offerForm";

const DEVICES = [
  "GPU-0b9f1a52-3c1d-4e5f-8a6b-7c8d9e0f1a2b",
  "GPU-1c0a2b63-4d2e-4f60-9b7c-8d9e0f1a2b3c",
];

const filled: OfferFields = {
  ...offerDefaults(1_796_083_200),
  name: " hall-1 ",
  site: "SE-LULEA-1",
  windowStart: "2026-12-10T06:00",
  epochs: "30",
  tranches: [
    { unitCap: "800", coupon: "0.9" },
    { unitCap: "400", coupon: "ignored in the last" },
  ],
  devices: DEVICES.join("\n"),
};

describe("facilityBody", () => {
  it("takes an expiry up to three days into the window", () => {
    const of = (expiresAt: string) => facilityBody({ ...filled, expiresAt });

    expect(of("2026-12-13T06:00").body?.expires_at).toBe("2026-12-13T06:00:00Z");
    expect(Object.keys(of("2026-12-13T06:01").errors ?? {})).toEqual(["expires_at"]);
    expect(Object.keys(of("soon").errors ?? {})).toEqual(["expires_at"]);
  });

  it("converts times to UTC, money to micros and shares to ppm and bps", () => {
    expect(facilityBody(filled).body).toEqual({
      name: "hall-1",
      gpu_class: "H100-SXM5-80GB",
      site: "SE-LULEA-1",
      window_start: "2026-12-10T06:00:00Z",
      window_end: "2027-01-09T06:00:00Z",
      expires_at: "2026-12-11T06:00:00Z",
      epoch_length_s: 86_400,
      promised_availability_ppm: 990_000,
      fee_bps: 100,
      attester_fee_bps: 4_000,
      patience_s: 604_800,
      seal_s: 3_024_000,
      long_stop_s: 15_552_000,
      silence: "unavailable",
      unsigned: "taken",
      tranches: [
        { unit_cap: 800, coupon_micros_per_unit: 900_000 },
        { unit_cap: 400, coupon_micros_per_unit: 0 },
      ],
      devices: DEVICES,
    });
  });

  it("names every field that is wrong at once, as the service names it", () => {
    const { errors } = facilityBody({
      ...filled,
      name: " ",
      site: "x".repeat(33),
      availability: "101",
      fee: "11",
      attesterFee: "101",
      patienceDays: "1.99",
      sealDays: "0",
      longStopDays: "soon",
      devices: "",
      tranches: [
        { unitCap: "0", coupon: "1.2345678" },
        { unitCap: "1.5", coupon: "" },
      ],
    });

    expect(Object.keys(errors ?? {}).sort()).toEqual([
      "attester_fee_bps",
      "devices",
      "fee_bps",
      "long_stop_s",
      "name",
      "patience_s",
      "promised_availability_ppm",
      "seal_s",
      "site",
      "tranches.0.coupon_micros_per_unit",
      "tranches.0.unit_cap",
      "tranches.1.unit_cap",
    ]);
  });

  it("proposes a patience that is never too short, and takes one up to 90 days above an epoch", () => {
    const of = (change: Partial<OfferFields>) => facilityBody({ ...filled, ...change });
    const monthly = { epochLengthS: String(30 * 86_400), epochs: "1" };

    expect(of(monthly).body?.patience_s).toBe(31 * 86_400);
    expect(of({ patienceDays: "2" }).body?.patience_s).toBe(2 * 86_400);
    expect(of({ patienceDays: "1.99" }).errors?.["patience_s"]).toContain("2 d");
    expect(of({ patienceDays: "91" }).body?.patience_s).toBe(91 * 86_400);
    expect(of({ patienceDays: "91.01" }).errors?.["patience_s"]).toContain("91 d");
    expect(of({ patienceDays: "7,5" }).errors).toHaveProperty("patience_s");
  });

  it.each([
    ["35", 3_024_000],
    ["90", 7_776_000],
    ["0.01", 864],
    ["0", null],
    ["-1", null],
    ["90.01", null],
    ["", null],
    ["a month", null],
  ])("takes a seal of %s days as %s", (sealDays, expected) => {
    const { body, errors } = facilityBody({ ...filled, sealDays });

    expect(body?.seal_s ?? null).toBe(expected);
    expect(errors?.["seal_s"] ?? null).toBe(expected === null ? "Above 0, at most 90 days." : null);
  });

  it.each([
    ["40", 4_000],
    ["0", 0],
    ["0.01", 1],
    ["100", 10_000],
    ["100.01", null],
    ["12.345", null],
    ["12,5", null],
    ["-1", null],
    ["40 %", null],
    ["1e1", null],
    ["", null],
  ])("takes %s percent of the fee for attesters as %s", (attesterFee, expected) => {
    const { body, errors } = facilityBody({ ...filled, attesterFee });

    expect(body?.attester_fee_bps ?? null).toBe(expected);
    expect(errors?.["attester_fee_bps"] ?? null).toBe(
      expected === null ? "0 to 100 percent of the fee, at most 2 decimals." : null,
    );
  });

  it.each([
    ["90", 7_776_000],
    ["365", 31_536_000],
    ["89.99", null],
    ["365.01", null],
    ["", null],
  ])("takes a long stop of %s days as %s", (longStopDays, expected) => {
    const { body, errors } = facilityBody({ ...filled, longStopDays });

    expect(body?.long_stop_s ?? null).toBe(expected);
    expect(errors === null).toBe(expected !== null);
  });

  it("refuses more units than the devices have hours", () => {
    const tranches = [{ unitCap: "1,441", coupon: "" }];

    expect(facilityBody({ ...filled, tranches }).errors?.["tranches"]).toContain("1440 GPU-hours");
    expect(
      facilityBody({ ...filled, tranches: [{ unitCap: "1,440", coupon: "" }] }).errors,
    ).toBeNull();
  });

  it("takes slices with their cards, of a class that names their profile", () => {
    const device = "MIG-c7384736-a75d-5afc-978f-d2f1294409fd";
    const card = DEVICES[0] ?? "";
    const sliced = {
      ...filled,
      devices: `${device},${card},1g.10gb`,
      tranches: [{ unitCap: "720", coupon: "" }],
    };

    expect(facilityBody(sliced).errors).toEqual({
      gpu_class: "End the class with the profile of the slices: H100-SXM5-80GB/1g.10gb.",
    });
    const { body } = facilityBody({ ...sliced, gpuClass: "H100-SXM5-80GB/1g.10gb" });
    expect(body?.devices).toEqual([{ device, card, profile: "1g.10gb" }]);
  });

  it("refuses a coupon that JSON would round", () => {
    const tranches = [
      { unitCap: "1", coupon: "9007199254.740992" },
      { unitCap: "1", coupon: "" },
    ];

    expect(facilityBody({ ...filled, tranches }).errors).toHaveProperty(
      "tranches.0.coupon_micros_per_unit".replaceAll(".", "\\."),
    );
  });
});

describe("window", () => {
  it("is a whole number of epochs, so that it always fits", () => {
    expect(windowEndS({ ...filled, epochLengthS: "3600", epochs: "3" })).toBe(
      Date.UTC(2026, 11, 10, 9) / 1_000,
    );
    expect(windowEndS({ ...filled, epochs: "0" })).toBeNull();
    expect(windowEndS({ ...filled, epochs: "1.5" })).toBeNull();
  });

  it("has devices times hours of capacity, rounded down", () => {
    expect(capacityHours({ ...filled, epochLengthS: "60", epochs: "59" }, 1)).toBe(0n);
    expect(capacityHours(filled, 2)).toBe(1_440n);
  });
});

describe("splitCapacity", () => {
  it("puts every unit into one tranche", () => {
    for (const tranches of [1, 2, 3, 4]) {
      const parts = splitCapacity(1_441n, tranches);
      expect(parts).toHaveLength(tranches);
      expect(parts.reduce((a, b) => a + b)).toBe(1_441n);
    }
    expect(splitCapacity(1_440n, 2)).toEqual([864n, 576n]);
  });
});
