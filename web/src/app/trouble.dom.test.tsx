import { cleanup, screen, within } from "@testing-library/react";
import { afterEach, describe, expect, it } from "vitest";
import { Overview } from "../pages/operator/Overview";
import { objections, open } from "./page.fixture";

const NOW_S = 1_800_000_000;
const FACILITY = {
  facility_id: 7,
  name: "estuary",
  gpu_class: "H100",
  site: "LULEA",
  state: "delivering",
  window_start_s: NOW_S - 86_400,
  window_end_s: NOW_S + 86_400,
  epochs_closed: 1,
  epochs_posted: 1,
  epochs_settled: 0,
  receivable_micros: 0,
  bond_micros: null,
  required_bond_micros: null,
};
const step = (changes: object) => ({
  step: "post",
  facility_id: 7,
  state: "failing",
  reason: "epoch 3: No space left on device: lines.csv",
  attempts: 4,
  since_s: NOW_S - 7_200,
  next_try_s: NOW_S + 60,
  ...changes,
});
const HELD = step({
  step: "close",
  state: "held",
  reason: "48 epochs are due at once",
  attempts: 1,
  next_try_s: null,
});
const console_ = (work?: object[]) => ({
  "/v1/console": { tasks: [], facilities: [FACILITY] },
  "/v1/facilities": [],
  "/v1/status": { now_s: NOW_S },
  ...(work && { "/v1/console/queue": { work } }),
});

afterEach(cleanup);

describe("the console's overview", () => {
  it("shows what the service could not do, why, since when and when it tries again", async () => {
    const running = step({ step: "settle", state: "running", reason: null });
    const work = [HELD, step({}), step({ step: "sweep", facility_id: 8 }), running];
    const found = open(<Overview />, { service: console_(work) });

    const table = await screen.findByRole("table", { name: /could not take/ });
    const [held, failing, unknown, now] = within(table)
      .getAllByRole("row")
      .slice(1)
      .map((row) => within(row).getAllByRole("cell"));

    expect(within(table).getAllByRole("rowheader")[0]?.textContent).toBe("estuary");
    expect(within(table).getAllByRole("link")[0]?.getAttribute("href")).toBe("/operator/7");
    expect(held?.map((cell) => cell.textContent)).toEqual([
      "Close epochs",
      "Held",
      "48 epochs are due at once",
      "2027-01-15 06:00 UTC",
      "1",
      "not by itself",
    ]);
    expect(failing?.map((cell) => cell.textContent)).toEqual([
      "Post statements",
      "Failing",
      "epoch 3: No space left on device: lines.csv",
      "2027-01-15 06:00 UTC",
      "4",
      "2027-01-15 08:01 UTC",
    ]);
    expect(unknown?.[0]?.textContent).toBe("Sweep");
    expect(within(table).getByText("facility 8")).toBeDefined();
    expect(now?.[2]?.textContent).toBe("is being done just now");
    expect(await objections(found)).toEqual([]);
  });

  it("never says that all is well beside it", async () => {
    open(<Overview />, { service: console_([step({})]) });

    expect(await screen.findByText(/the service could not do its part/)).toBeDefined();
    expect(screen.queryByText(/are as they should be/)).toBeNull();
  });

  it("takes what it cannot learn for no good news", async () => {
    open(<Overview />, { service: console_() });

    expect(await screen.findByText("What the service could not do yet")).toBeDefined();
    expect(screen.getByText(/is not known just now/)).toBeDefined();
    expect(screen.getByRole("button", { name: "Try again" })).toBeDefined();
  });

  it("has no such section where nothing fails or waits, and says that all is well", async () => {
    open(<Overview />, { service: console_([]) });

    expect(await screen.findByText(/are as they should be/)).toBeDefined();
    expect(screen.queryByText("What the service could not do yet")).toBeNull();
  });

  it("says that nothing is sent to the chain, why and since when, and not that all is well", async () => {
    const relayer = {
      problem: "no_funds",
      detail: "the relayer has not enough of the chain's coin for gas",
      since_s: NOW_S - 7_200,
    };
    const service = { ...console_([]), "/v1/status": { now_s: NOW_S, relayer } };
    const found = open(<Overview />, { service });

    expect(await screen.findByText("The service sends nothing just now")).toBeDefined();
    expect(screen.getByText(/not enough of the chain's coin for gas/)).toBeDefined();
    expect(screen.getByText(/2027-01-15 06:00 UTC/)).toBeDefined();
    expect(await screen.findByText(/sends nothing to the chain: see below/)).toBeDefined();
    expect(screen.queryByText(/are as they should be/)).toBeNull();
    expect(await objections(found)).toEqual([]);
  });
});
