import { describe, expect, it } from "vitest";
import {
  SOURCE,
  adjustmentEvent,
  outageEvent,
  replaceEvent,
  timeFieldsOf,
  voidEvent,
} from "./eventForms";

const TARGET = { source: "collector/1", id: "e7" };
/** As the log shows it: with more than its name. */
const LOGGED = { ...TARGET, entry: 3, state: "stands" };
const DAY_S = 1_796_083_200;
const USE = {
  type: "rentroll.gpu.usage.v1",
  payload: { data: { device: "GPU-1", lease: "lease-a", start: "x" } },
  time: { kind: "usage", start_s: DAY_S, until_s: DAY_S + 3_600 },
};

describe("an event that takes another back", () => {
  it("names it, says why, and has an id of its own", () => {
    const first = voidEvent(7, LOGGED, " wrong card ");
    const second = voidEvent(7, TARGET, "");

    expect(first.body).toEqual({
      specversion: "1.0",
      id: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
      source: SOURCE,
      type: "rentroll.gpu.correction.v1",
      data: { facility_id: 7, corrects: TARGET, action: "void", reason: "wrong card" },
    });
    expect(second.body?.data).not.toHaveProperty("reason");
    expect(second.body?.id).not.toBe(first.body?.id);
    expect(voidEvent(7, TARGET, "x".repeat(201)).errors).toHaveProperty("reason");
  });

  it("puts another in its place, with the checksum that usage has", () => {
    const typed = { ...timeFieldsOf(USE), lease: "lease-b", end: "2026-12-01T02:00" };

    expect(replaceEvent(7, LOGGED, typed).body?.data).toEqual({
      facility_id: 7,
      corrects: TARGET,
      action: "replace",
      replacement: {
        device: "GPU-1",
        lease: "lease-b",
        start: "2026-12-01T00:00:00Z",
        end: "2026-12-01T02:00:00Z",
        gpu_seconds: 7_200,
      },
    });
    const out = replaceEvent(7, TARGET, { ...typed, what: "outage", lease: "" });
    expect(out.body?.data["replacement"]).toEqual({
      device: "GPU-1",
      start: "2026-12-01T00:00:00Z",
      end: "2026-12-01T02:00:00Z",
      cause: "fault",
    });
  });

  it("begins with what the event says, also as a replacement", () => {
    const replaced = { ...USE, payload: { data: { replacement: USE.payload.data } } };
    const planned = { ...USE, time: { ...USE.time, kind: "planned" } };

    expect(timeFieldsOf(USE)).toEqual(timeFieldsOf(replaced));
    expect(timeFieldsOf(planned)).toMatchObject({ what: "outage", cause: "planned" });
  });
});

describe("an outage", () => {
  it("ends after it begins, of a device that is named", () => {
    const typed = { ...timeFieldsOf(USE), device: "", end: "2026-12-01T00:00" };

    expect(Object.keys(outageEvent(7, typed).errors ?? {}).sort()).toEqual(["device", "end"]);
    expect(outageEvent(7, timeFieldsOf(USE)).body?.data).toMatchObject({ lease: "lease-a" });
  });
});

describe("an adjustment", () => {
  const typed = { lease: "lease-a", direction: "back", amount: "1.50", reason: "goodwill" };

  it("goes back below zero, and is charged above", () => {
    expect(adjustmentEvent(7, typed).body?.data["amount"]).toBe(-1_500_000);
    const charged = adjustmentEvent(7, { ...typed, direction: "charge" });
    expect(charged.body?.data["amount"]).toBe(1_500_000);
  });

  it("has a lease, an amount above zero and a reason", () => {
    const empty = adjustmentEvent(7, { lease: "", direction: "back", amount: "0", reason: " " });

    expect(Object.keys(empty.errors ?? {}).sort()).toEqual(["amount", "lease_id", "reason"]);
    expect(adjustmentEvent(7, { ...typed, amount: "1000000.000001" }).errors).not.toBeNull();
  });
});
