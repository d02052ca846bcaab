import { cleanup, fireEvent, screen, within } from "@testing-library/react";
import type { ReactNode } from "react";
import { Navigate, Route, Routes } from "react-router";
import { afterEach, describe, expect, it } from "vitest";
import { objections, open } from "./page.fixture";
import { Epoch } from "../pages/audit/Epoch";
import { RecordVerdict } from "../pages/audit/RecordVerdict";
import { Statements as AuditedStatements } from "../pages/audit/Statements";
import { type OfferInput, PromiseAndFee } from "../pages/operator/launch/OfferInputs";
import { Epochs } from "../pages/operator/epochs/Epochs";
import type { ConsoleFacility } from "../pages/operator/queries";
import { EndingPart } from "../pages/tranche/EndingPart";
import { Statements } from "../pages/tranche/Statements";
import { Terms } from "../pages/tranche/Terms";
import type { Tranche } from "../pages/tranche/queries";

const NOW_S = 1_800_000_000;
const DAY_S = 86_400;
const HASH = `0x${"ab".repeat(32)}`;
/** Four epochs of a day, over for two days; a seal of 35 days runs. */
const FACILITY = {
  facility_id: 1,
  name: "estuary",
  gpu_class: "H100",
  site: "LULEA",
  window_start_s: NOW_S - 6 * DAY_S,
  window_end_s: NOW_S - 2 * DAY_S,
  epoch_length_s: DAY_S,
  seal_s: 35 * DAY_S,
  epoch_count: 4,
  epochs_closed: 4,
  ending: null as { ended_at_s: number } | null,
  panel: null,
  pledge: { root: HASH, number: null, approved_at: null },
};

const statement = (epoch: number, more: object = {}) => ({
  facility_id: 1,
  epoch,
  closing: false,
  epoch_start_s: FACILITY.window_start_s + epoch * DAY_S,
  epoch_end_s: FACILITY.window_start_s + (epoch + 1) * DAY_S,
  available_gpu_seconds: 360_000,
  available_adjustment: 0,
  billed_gpu_seconds: 180_000,
  gross_revenue_micros: 50_000_000,
  line_count: 1,
  usage_root: HASH,
  evidence_hash: HASH,
  previous_statement_hash: HASH,
  statement_hash: HASH,
  signed_gpu_seconds: 90_000,
  signed_charge_micros: 50_000_000,
  absolute_charge_micros: 50_000_000,
  top_renter_bps: 10_000,
  committed_bps: 0,
  state: "final",
  posted_tx: HASH,
  posted_at_s: NOW_S - DAY_S,
  attesters: [],
  ...more,
});
const CLOSING = statement(4, {
  closing: true,
  epoch_end_s: FACILITY.window_end_s + FACILITY.seal_s,
  available_gpu_seconds: 0,
  available_adjustment: -3_600,
  billed_gpu_seconds: 0,
  gross_revenue_micros: -12_500_000,
  line_count: 0,
});

const epoch = (number: number, more: object = {}) => ({
  epoch: number,
  closing: false,
  start_s: FACILITY.window_start_s + number * DAY_S,
  end_s: FACILITY.window_start_s + (number + 1) * DAY_S,
  state: "final",
  reopen: null,
  gross_micros: 50_000_000,
  line_count: 1,
  signatures: 2,
  posted_tx: HASH,
  posted_at_s: NOW_S - DAY_S,
  final_at_s: NOW_S,
  cut_off_s: NOW_S,
  ...more,
});
const CLOSING_EPOCH = epoch(4, {
  closing: true,
  end_s: CLOSING.epoch_end_s,
  gross_micros: -12_500_000,
});

const SERVICE = {
  "/v1/facilities": [FACILITY],
  "/v1/facilities/1": FACILITY,
  "/v1/facilities/1/statements": { total: 2, statements: [CLOSING, statement(3)] },
  "/v1/facilities/1/epochs/4": CLOSING,
  "/v1/facilities/1/epochs/3": statement(3),
  // The time of the service decides which epochs began.
  "/v1/status": { now_s: NOW_S },
};
const TRANCHE = {
  ...FACILITY,
  token_id: "256",
  seniority: 0,
  tranche_count: 1,
  device_count: 4,
  operator: { address: `0x${"1".repeat(40)}`, name: "operator" },
  terms: {
    epochs_posted: 4,
    epoch_count: 4,
    promised_availability_ppm: 990_000,
    patience_s: 7 * DAY_S,
    seal_s: 35 * DAY_S,
    long_stop_s: 180 * DAY_S,
    fee_bps: 100,
    attester_fee_bps: 4_000,
    settlement_token: `0x${"2".repeat(40)}`,
    pledge_root: HASH,
    terms_hash: HASH,
  },
} as unknown as Tranche;

afterEach(cleanup);

/** The cells of the row whose head is a name. */
async function cellsOf(table: string, name: string): Promise<string[]> {
  const found = await screen.findByRole("table", { name: table });
  const head = within(found).getByRole("rowheader", { name });
  const row = head.closest("tr") as HTMLElement;
  return within(row)
    .getAllByRole("cell")
    .map((cell) => cell.textContent);
}

const at = (path: string, page: ReactNode) => (
  <Routes>
    <Route path="/" element={<Navigate to={path} />} />
    <Route path="facilities/:facilityId/epochs/:epoch" element={page} />
  </Routes>
);

describe("lists of statements", () => {
  it("of a tranche call the closing statement by its name, with its times and its sign", async () => {
    const found = open(<Statements tranche={TRANCHE} />, { service: SERVICE });

    const closing = await cellsOf("Statements, newest first", "Closing statement");

    expect(closing.slice(0, 4)).toEqual(["2027-01-13", "2027-02-17", "Final", "−12.50"]);
    expect(await cellsOf("Statements, newest first", "Epoch 3")).toContain("50.00");
    expect(found.container.textContent).not.toContain("Epoch 4");
    expect(await objections(found)).toEqual([]);
  });

  it("of the auditor do so too", async () => {
    const found = open(<AuditedStatements />, { service: SERVICE });

    const closing = await cellsOf("Statements of estuary", "Closing statement");

    expect(closing).toContain("−12.50");
    expect(closing[1]).toContain("2027-02-17");
    expect(screen.getByRole("rowheader", { name: "Epoch 3" }).textContent).toBe("3");
    expect(await objections(found)).toEqual([]);
  });
});

describe("the page of a closing statement", () => {
  it("says what it is, over which time, and how much it gives back", async () => {
    const found = open(at("/facilities/1/epochs/4", <Epoch />), { service: SERVICE });

    expect(
      await screen.findByRole("heading", { name: "estuary, closing statement", level: 1 }),
    ).toBeDefined();
    await screen.findByText(/Behind its last epoch estuary states what came late/);
    const text = found.container.textContent;
    expect(text).toContain("from 2027-01-13 08:00 UTC to 2027-02-17 08:00 UTC");
    expect(text).toContain("add up to −12.50 mUSD");
    expect(text).toContain("Availability corrected");
    expect(text).toContain("−1.00 h");
    expect(text).toContain("It lowers what the facility's statements attest");
    expect(text).toContain("Nothing came late and nothing was corrected");
    expect(text).not.toMatch(/epoch 4|settled/i);
    expect(screen.getByRole("link", { name: "Earlier epoch, 3" })).toBeDefined();
    expect(screen.getByRole("button", { name: "Later" }).hasAttribute("disabled")).toBe(true);
  });

  it("is the next after the last epoch", async () => {
    open(at("/facilities/1/epochs/3", <Epoch />), { service: SERVICE });

    const later = await screen.findByRole("link", { name: "Later, closing statement" });

    expect(later.getAttribute("href")).toBe("/facilities/1/epochs/4");
    expect(screen.getByRole("heading", { name: "estuary, epoch 3", level: 1 })).toBeDefined();
  });

  it("is named where a pasted record is of it", () => {
    const place = { facilityId: 1n, epoch: 4 };
    const verdict = { what: "line 0", place, closing: true, index: 0, checks: [], fields: [] };
    const equal = { id: "root", title: "Root", state: "equal" } as const;
    const found = open(<RecordVerdict verdict={{ ...verdict, checks: [equal] }} />, {});

    expect(found.container.textContent).toContain("of facility 1, closing statement.");
  });
});

describe("epochs of the console", () => {
  const facility = { facility_id: 1, epochs_closed: 4 } as unknown as ConsoleFacility;
  const world = (epochs: object[], terms: object = FACILITY) => ({
    service: {
      ...SERVICE,
      "/v1/facilities/1": terms,
      "/v1/console/facilities/1/epochs": { total: epochs.length, epochs },
    },
  });

  it("have the closing statement as a row with a name of its own", async () => {
    const found = open(
      <Epochs facility={facility} />,
      world([CLOSING_EPOCH, epoch(3), epoch(2), epoch(1), epoch(0)]),
    );

    const cells = await cellsOf("Table of epochs", "Closing statement and proof");

    expect(cells).toContain("−12.50");
    expect(found.container.textContent).not.toContain("still to come");
    expect(await objections(found)).toEqual([]);
  });

  it("count the epochs that are to come without it", async () => {
    const begins = NOW_S - DAY_S - 60;
    const terms = { ...FACILITY, window_start_s: begins, window_end_s: begins + 4 * DAY_S };
    const found = open(<Epochs facility={facility} />, world([epoch(1), epoch(0)], terms));

    await screen.findByRole("table", { name: "Table of epochs" });

    expect(found.container.textContent).toContain(
      "2 epochs and the closing statement are still to come, the next from",
    );
  });

  it("reopen it by its name", async () => {
    const voided = { ...CLOSING_EPOCH, state: "voided", reopen: "now" };
    open(<Epochs facility={facility} />, world([voided, epoch(3)]));

    fireEvent.click(await screen.findByRole("button", { name: "Reopen closing statement" }));
    const dialog = await screen.findByRole("dialog", { name: "Reopen closing statement" });

    expect(within(dialog).getByText(/proven on-chain that the closing statement is wrong/));
    expect(within(dialog).getByRole("button", { name: "Reopen the closing statement" }));
  });

  it("take it along where an epoch before it is reopened", async () => {
    const voided = epoch(3, { state: "voided", reopen: "now" });
    open(<Epochs facility={facility} />, world([CLOSING_EPOCH, voided]));

    fireEvent.click(await screen.findByRole("button", { name: "Reopen epoch 3" }));

    expect(
      await screen.findByRole("button", { name: "Reopen epoch 3 and the closing statement" }),
    ).toBeDefined();
  });
});

describe("terms and endings", () => {
  it("show the seal, and a long stop that begins after it", async () => {
    const found = open(<Terms tranche={TRANCHE} />, { service: SERVICE });
    const text = found.container.textContent;

    expect(text).toContain("Seal35 d after the window, over 2027-02-17 08:00 UTC");
    expect(text).toContain("Long stop2027-08-16 08:00 UTC");
    // The closing statement is no epoch.
    expect(text).toContain("4 of 1 d, 4 posted");
  });

  it("say that nothing matures, and the bond stays, before the closing statement", () => {
    const found = open(<EndingPart tranche={TRANCHE} />, { service: SERVICE });

    expect(found.container.textContent).toContain(
      "That statement has late usage, late outages and corrections and comes when the seal is over, 2027-02-17 08:00 UTC: nothing matures before, and until then the bond stays.",
    );
    expect(found.container.textContent).toContain("from its long stop on, 2027-08-16 08:00 UTC");
  });
});

describe("the offer of an operator", () => {
  const input: OfferInput = (key, field) => ({
    value: key === "sealDays" ? "35" : "",
    error: field === "seal_s" ? "Above 0, at most 90 days." : undefined,
    onChange: () => undefined,
  });

  it("asks for the seal, and says what it is for and when it is over", async () => {
    const found = open(
      <PromiseAndFee input={input} patienceS={null} sealedAtS={CLOSING.epoch_end_s} />,
      {},
    );

    const seal = screen.getByRole("textbox", { name: "Seal, days" });

    expect((seal as HTMLInputElement).value).toBe("35");
    expect(seal.getAttribute("aria-invalid")).toBe("true");
    expect(found.container.textContent).toContain(
      "The seal is for late usage, late outages and corrections: a month can be put right until the seal is over behind it, the last ones until it is over behind the window. It is over 2027-02-17 08:00 UTC. One closing statement then says what came late. The facility does not mature, and no bond comes back, before it is final.",
    );
    expect(await objections(found)).toEqual([]);
  });

  it("says nothing of its end while the fields do not", () => {
    const found = open(<PromiseAndFee input={input} patienceS={null} sealedAtS={null} />, {});

    expect(found.container.textContent).not.toContain("It is over");
  });
});
