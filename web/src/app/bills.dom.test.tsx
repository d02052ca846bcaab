import { cleanup, fireEvent, screen, within } from "@testing-library/react";
import { afterEach, describe, expect, it } from "vitest";
import { Bills } from "../pages/operator/money/Bills";
import { objections, open } from "./page.fixture";

const PATH = "/v1/console/facilities/4/bills";
const EVIL = "<script>alert(1)</script>";
const NONE = { credited_micros: 0, paid_micros: 0, open_micros: 0 };
const MONTH = {
  ...NONE,
  month: "2026-12",
  lease_id: EVIL,
  renter_ref: "acme",
  state: "ready",
  stated_micros: 815_000_000,
  billed_micros: 0,
  numbers: [] as number[],
};
const NOTE = {
  ...NONE,
  number: 18,
  kind: "credit_note",
  corrects: 17,
  month: "2026-11",
  amount_micros: -2_000_000,
  issued_at_s: 1_800_000_000,
  due_at_s: null,
  through_statement: 30,
  document_hash: "0x",
  lease_id: "lease-7",
  renter_ref: "acme",
};
const BILLS = {
  block_number: 42,
  months: [MONTH],
  documents: [NOTE],
  leases: [
    { lease_id: "lease-7", paid_micros: 5, prepaid_left_micros: 3_000_000, credit_left_micros: 0 },
  ],
};

describe("the page of bills", () => {
  afterEach(cleanup);

  it("shows months, documents with their files, and what is left", async () => {
    const page = open(<Bills facilityId={4} />, { service: { [PATH]: BILLS } });

    const months = await screen.findByRole("table", { name: "Bills by month and lease" });
    const row = within(months).getByRole("row", { name: /to be issued/i });
    expect(within(row).getByText("815.00")).toBeDefined();
    expect(within(row).getByText(EVIL)).toBeDefined();
    const documents = screen.getByRole("table", { name: "Bills and notes" });
    expect(within(documents).getByText("−2.00 mUSD")).toBeDefined();
    const pdf = within(documents).getByRole("link", {
      name: "Credit note 000018 of 000017 as PDF",
    });
    expect(pdf.getAttribute("href")).toBe(`${PATH}/18.pdf`);
    expect(screen.getByText(/Payments up to block 42/)).toBeDefined();
    expect(screen.getByText("3.00 mUSD")).toBeDefined();
    expect(await objections(page)).toEqual([]);
  });

  it("says why nothing could be issued, and keeps the button", async () => {
    const refused = { status: 503, code: "chain_unavailable", detail: "The node is silent." };
    open(<Bills facilityId={4} />, { service: { [PATH]: BILLS, [`POST ${PATH}`]: refused } });

    fireEvent.click(await screen.findByRole("button", { name: "Issue now" }));

    expect(await screen.findByText("The node is silent.")).toBeDefined();
    expect(screen.getByRole("button", { name: "Issue now" })).toBeDefined();
  });

  it("asks for nothing where nothing waits", async () => {
    const empty = { ...BILLS, months: [], documents: [], leases: [] };
    open(<Bills facilityId={4} />, { service: { [PATH]: empty } });

    expect(await screen.findByText("Nothing to bill yet")).toBeDefined();
    expect(screen.queryByRole("button", { name: "Issue now" })).toBeNull();
  });
});
