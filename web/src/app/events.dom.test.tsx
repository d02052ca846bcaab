import { cleanup, fireEvent, screen, within } from "@testing-library/react";
import { Navigate, Route, Routes } from "react-router";
import { afterEach, describe, expect, it } from "vitest";
import { Epoch } from "../pages/audit/Epoch";
import { Events } from "../pages/operator/events/Events";
import type { ConsoleFacility } from "../pages/operator/queries";
import { objections, open } from "./page.fixture";

const NOW_S = 1_800_000_000;
const FACILITY = { facility_id: 1, name: "estuary" } as ConsoleFacility;
const USE = {
  entry: 3,
  place: 0,
  source: "collector/1",
  id: "e7",
  type: "rentroll.gpu.usage.v1",
  recorded_at_s: NOW_S - 60,
  state: "stands",
  time: { kind: "usage", start_s: NOW_S - 7_200, end_s: NOW_S - 3_600, until_s: NOW_S - 3_600 },
  voided_by: null as object | null,
  sealed: false,
  correctable: true,
  stated_in: null as number | null,
  payload: { data: { device: "GPU-1", lease: "lease-a" } },
};
const GONE = {
  ...USE,
  place: 1,
  id: "e8",
  state: "voided",
  correctable: false,
  voided_by: { source: "collector/1", id: "v1", recorded_at_s: NOW_S, reason: "wrong card" },
};
const FIGURES = {
  gross_micros: 24_000_000,
  billed_gpu_seconds: 0,
  available_gpu_seconds: 0,
  available_adjustment: 0,
  held_back_micros: 0,
};
const PREVIEW = {
  batch: { accepted: 1, duplicates: 0, rejected: 0, results: [] as object[] },
  recorded_at_s: NOW_S,
  statements: [
    {
      epoch: 4,
      closing: false,
      start_s: NOW_S,
      end_s: NOW_S + 86_400,
      cut_off_s: NOW_S + 90_000,
      before: FIGURES,
      after: { ...FIGURES, gross_micros: 14_000_000 },
      changes: [
        {
          kind: "usage_difference",
          lease_id: "lease-a",
          lease: "0xab",
          month_start_s: NOW_S,
          charge_before_micros: 0,
          charge_after_micros: -10_000_000,
          seconds_before: 0,
          seconds_after: 0,
        },
      ],
      changes_left_off: 0,
    },
  ],
  unforeseen: null,
  waiting: 0,
  assumes: "As if nothing else were told.",
};
const CONSOLE = "/v1/console/facilities/1";
const SERVICE = {
  [`${CONSOLE}/events`]: { events: [USE, GONE], next: "3-0" },
  [`${CONSOLE}/devices`]: [{ uuid: "GPU-1" }],
  [`${CONSOLE}/leases`]: [{ lease_id: "lease-a" }],
  "/v1/config": { now_s: NOW_S },
};
const sent = (status: string, more: object = {}) => ({
  accepted: 0,
  duplicates: 0,
  rejected: 0,
  results: [{ index: 0, source: "s", id: "i", status, ...more }],
});

const press = (name: string | RegExp) => fireEvent.click(screen.getByRole("button", { name }));

describe("the page of accepted events", () => {
  afterEach(cleanup);

  it("shows each as it stands, and acts on what can be put right", async () => {
    const found = open(<Events facility={FACILITY} />, { service: SERVICE });

    const table = await screen.findByRole("table", { name: "Table of accepted events" });
    const [stands, gone] = within(table).getAllByRole("row").slice(1);
    const buttons = (row: HTMLElement | undefined) =>
      within(row as HTMLElement)
        .getAllByRole("button")
        .map((b) => b.getAttribute("aria-label"));

    expect(buttons(stands)).toEqual(["Details: e7", "Void: e7", "Replace: e7"]);
    expect(buttons(gone)).toEqual(["Details: e8"]);
    expect(gone?.textContent).toContain("by v1");
    expect(screen.getByRole("button", { name: "Further back" })).toBeDefined();
    press("Details: e7");
    const raw = await screen.findByRole("region", { name: "The event as it was sent" });
    expect(raw.textContent).toContain('"device": "GPU-1"');
    expect(screen.queryByText("wrong card")).toBeNull();
    expect(await objections(found)).toEqual([]);
    cleanup();
    open(<Events facility={FACILITY} />, { service: SERVICE });
    await screen.findByRole("table", { name: "Table of accepted events" });
    press("Details: e8");
    expect(await screen.findByText("wrong card")).toBeDefined();
  });

  it("shows what a void changes before it is made", async () => {
    const service = {
      ...SERVICE,
      [`POST ${CONSOLE}/events/preview`]: PREVIEW,
      "POST /v1/events": sent("accepted"),
    };
    open(<Events facility={FACILITY} />, { service });

    await screen.findByRole("table", { name: "Table of accepted events" });
    press("Void: e7");
    fireEvent.change(await screen.findByLabelText(/Reason/), { target: { value: "wrong card" } });
    press("Show what it changes");

    expect(await screen.findByText("Nothing is recorded yet. This would change:")).toBeDefined();
    expect(
      screen.getByText("Epoch 4 would state 14.00 mUSD in place of 24.00: 10.00 less."),
    ).toBeDefined();
    const table = screen.getByRole("table", { name: "What changes in Epoch 4" });
    expect(table.textContent).toContain("Usage difference");
    expect(table.textContent).toContain("0.00 → −10.00");
    press("Void the event");
    await expect.poll(() => screen.queryByText("As if nothing else were told.")).toBeNull();
  });

  it("offers no act that would be refused, and says why one was", async () => {
    const rejected = { code: "sealed", detail: "its month is sealed" };
    const results = sent("rejected", rejected).results;
    const refused = { ...PREVIEW, batch: { ...PREVIEW.batch, results }, statements: [] };
    open(<Events facility={FACILITY} />, {
      service: { ...SERVICE, [`POST ${CONSOLE}/events/preview`]: refused },
    });

    await screen.findByRole("table", { name: "Table of accepted events" });
    press("Void: e7");
    press(await screen.findByText("Show what it changes").then(() => "Show what it changes"));

    expect((await screen.findByRole("alert")).textContent).toContain("its month is sealed");
    expect(screen.queryByRole("button", { name: "Void the event" })).toBeNull();
    cleanup();
    const raced = {
      ...SERVICE,
      [`POST ${CONSOLE}/events/preview`]: PREVIEW,
      "POST /v1/events": sent("rejected", rejected),
    };
    open(<Events facility={FACILITY} />, { service: raced });
    await screen.findByRole("table", { name: "Table of accepted events" });
    press("Void: e7");
    await screen.findByLabelText(/Reason/);
    press("Show what it changes");
    await screen.findByText("Nothing is recorded yet. This would change:");
    press("Void the event");
    expect((await screen.findByRole("alert")).textContent).toContain("Its month is sealed.");
  });

  it("says what is wrong with an adjustment at its fields", async () => {
    open(<Events facility={FACILITY} />, { service: SERVICE });

    press("Make an adjustment");
    await screen.findByLabelText(/Amount/);
    press("Show what it changes");

    expect(await screen.findByText("Say why, for whoever asks later.")).toBeDefined();
    expect(
      screen.getByText("Choose a lease.", { selector: ".mantine-NativeSelect-error" }),
    ).toBeDefined();
  });
});

const STATEMENT = {
  facility_id: 1,
  epoch: 2,
  closing: false,
  epoch_start_s: NOW_S - 86_400,
  epoch_end_s: NOW_S,
  available_gpu_seconds: 0,
  available_adjustment: 0,
  billed_gpu_seconds: 0,
  gross_revenue_micros: 0,
  line_count: 0,
  usage_root: "0x",
  evidence_hash: "0x",
  previous_statement_hash: "0x",
  statement_hash: "0x",
  signed_gpu_seconds: 0,
  signed_charge_micros: 0,
  absolute_charge_micros: 0,
  top_renter_bps: 0,
  committed_bps: 0,
  state: "closed",
  posted_tx: null,
  posted_at_s: null,
  attesters: [],
};

describe("the page of a past epoch", () => {
  afterEach(cleanup);

  it("says that later statements put it right, and where", async () => {
    const path = "/v1/facilities/1/epochs/2";
    const row = {
      epoch: 4,
      closing: false,
      late_seconds: 3_600,
      late_delivery_seconds: 0,
      void_seconds: 0,
      rent_micros: 1_000_000,
    };
    const pages = (
      <Routes>
        <Route path="/facilities/:facilityId/epochs/:epoch" element={<Epoch />} />
        <Route path="*" element={<Navigate to="/facilities/1/epochs/2" />} />
      </Routes>
    );
    open(pages, { service: { [path]: STATEMENT, [`${path}/restated`]: [row] } });

    expect(await screen.findByText(/as they were stated then/)).toBeDefined();
    const link = screen.getByRole("link", { name: "Epoch 4" });
    expect(link.getAttribute("href")).toBe("/facilities/1/epochs/4");
    expect(link.closest("li")?.textContent).toBe(
      "Epoch 4: 1.00 GPU-hours came late; rent of its month changes by +1.00 mUSD.",
    );
  });
});
