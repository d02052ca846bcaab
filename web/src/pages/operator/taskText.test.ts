import { describe, expect, it } from "vitest";
import type { ConsoleTask } from "./queries";
import { taskTexts } from "./taskText";

const task = (kind: string, more: Partial<ConsoleTask> = {}): ConsoleTask => ({
  kind,
  severity: "warning",
  facility_id: 7,
  epoch: null,
  amount_micros: null,
  device: null,
  due_at_s: null,
  ...more,
});
const names = new Map([[7, "hall-7"]]);

// Every kind that GET /v1/console documents.
const KINDS =
  "offer_missing mint_or_sale_missing bond_below_required default_near metering_silent metering_gap events_rejected conflicts epoch_voided epoch_reopened epoch_stuck rent_overdue proceeds_releasable withdrawable device_pledged_twice";

describe("taskTexts", () => {
  it("has a sentence of its own for every documented kind", () => {
    for (const kind of KINDS.split(" ")) {
      const [text] = taskTexts([task(kind, { amount_micros: 1, due_at_s: 60 })], names, "mUSD");
      expect(text?.action, kind).not.toBe("See the facility");
      expect(text?.sentence, kind).toMatch(/^[^_]+[.]$/);
    }
  });

  it("says how much, for what and by when", () => {
    const [text] = taskTexts(
      [task("bond_below_required", { amount_micros: 1_234_567_890, due_at_s: 1_796_083_200 })],
      names,
      "mUSD",
    );

    expect(text?.sentence).toBe(
      "Add 1,234.56 mUSD to the bond of hall-7 by 2026-12-01 00:00 UTC: it is below its minimum.",
    );
    expect(text).toMatchObject({ facilityId: 7, section: "bond" });
  });

  it("tells devices with one cause as one sentence, and keeps the order", () => {
    const gap = (device: string, epoch: number) =>
      task("metering_gap", { device, epoch, due_at_s: 60 });
    const texts = taskTexts(
      [task("rent_overdue"), gap("0xa", 1), gap("0xb", 1), gap("0xc", 2)],
      names,
      "mUSD",
    );

    expect(texts.map((t) => t.sentence.slice(0, 21))).toEqual([
      "Rent of money for hal",
      "2 devices of hall-7 h",
      "One device of hall-7 ",
    ]);
  });

  it("calls the closing statement by its name, and no epoch", () => {
    const hourly = {
      facility_id: 7,
      window_start_s: 0,
      window_end_s: 14_400,
      epoch_length_s: 3_600,
      seal_s: 60,
      ending: null,
    };
    const kinds = ["epoch_voided", "epoch_reopened", "epoch_stuck"];
    const of = (epoch: number) =>
      taskTexts(
        kinds.map((kind) => task(kind, { epoch, due_at_s: 60 })),
        names,
        "mUSD",
        [hourly],
      ).map((t) => t.sentence);

    expect(of(4)).toEqual([
      "The closing statement of hall-7 was proven wrong on-chain and is void. Reopen it and correct its records.",
      "The closing statement of hall-7 is open again: send its corrections by 1970-01-01 00:01 UTC. Unchanged, it stays void.",
      "The closing statement of hall-7 is not on-chain yet; it was due 1970-01-01 00:01 UTC.",
    ]);
    expect(of(3)).toEqual([
      "The statement of epoch 3 of hall-7 was proven wrong on-chain and is void. Reopen the epoch and correct its records.",
      "Epoch 3 of hall-7 is open again: send its corrections by 1970-01-01 00:01 UTC. Unchanged, its statement stays void.",
      "Epoch 3 of hall-7 is not on-chain yet; it was due 1970-01-01 00:01 UTC.",
    ]);
  });

  it("still shows a kind that it does not know", () => {
    expect(taskTexts([task("brand_new")], names, "")[0]?.sentence).toBe("Brand new: hall-7.");
  });
});
