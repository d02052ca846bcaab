import { describe, expect, it } from "vitest";
import { type LeaseFields, closeBody, hardwareBody, leaseBody, priceBody } from "./leaseForms";

const fields: LeaseFields = {
  leaseId: " lease-7 ",
  renterRef: "renter-7",
  plan: "reserved",
  committed: "5",
  max: "",
  openedAt: "2026-12-01T00:00",
  price: "2.49",
};

describe("leaseBody", () => {
  it("converts price to micros and time to UTC", () => {
    expect(leaseBody(fields).body).toEqual({
      lease_id: "lease-7",
      renter_ref: "renter-7",
      plan: "reserved",
      // Only take-or-pay commits GPUs: what was typed before the plan changed is not sent.
      committed_gpus: 0,
      max_gpus: 0,
      opened_at: "2026-12-01T00:00:00Z",
      price_micros_per_gpu_hour: 2_490_000,
    });
  });

  it("asks take-or-pay for its commitment", () => {
    expect(leaseBody({ ...fields, plan: "take_or_pay" }).body?.committed_gpus).toBe(5);
    const { errors } = leaseBody({ ...fields, plan: "take_or_pay", committed: "" });
    expect(Object.keys(errors ?? {})).toEqual(["committed_gpus"]);
  });

  it("names every wrong field", () => {
    const { errors } = leaseBody({
      ...fields,
      leaseId: "",
      max: "1.5",
      openedAt: "",
      price: "1,000,000.000001",
    });
    expect(Object.keys(errors ?? {}).sort()).toEqual([
      "lease_id",
      "max_gpus",
      "opened_at",
      "price_micros_per_gpu_hour",
    ]);
  });
});

describe("other forms", () => {
  it("make a price version and an end", () => {
    expect(priceBody({ from: "2026-12-15T06:30", price: "0" }).body).toEqual({
      effective_from: "2026-12-15T06:30:00Z",
      price_micros_per_gpu_hour: 0,
    });
    expect(closeBody("2026-12-31T00:00").body).toEqual({ closed_at: "2026-12-31T00:00:00Z" });
    expect(closeBody("").errors).toHaveProperty("closed_at");
  });

  it("disclose hardware in micros of one device", () => {
    expect(hardwareBody("30,000", "2026-01-01T00:00").body).toEqual({
      cost_micros_per_device: 30_000_000_000,
      in_service_at: "2026-01-01T00:00:00Z",
    });
    expect(hardwareBody("0", "2026-01-01T00:00").errors).toHaveProperty("cost_micros_per_device");
  });
});
