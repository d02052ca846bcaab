import { describe, expect, it } from "vitest";
import {
  type BillMonth,
  type ListedBill,
  documentName,
  documentPath,
  draftPath,
  monthState,
  waiting,
} from "./billText";

const MONTH: BillMonth = {
  month: "2026-12",
  lease_id: "lease-7",
  renter_ref: "acme",
  state: "ready",
  stated_micros: 5,
  billed_micros: 0,
  credited_micros: 0,
  paid_micros: 0,
  open_micros: 0,
  numbers: [],
};
const BILL: ListedBill = {
  number: 17,
  kind: "bill",
  corrects: null,
  month: "2026-12",
  amount_micros: 5,
  issued_at_s: 1,
  due_at_s: 2,
  through_statement: 3,
  document_hash: "0x",
  credited_micros: 0,
  paid_micros: 0,
  open_micros: 5,
  lease_id: "lease-7",
  renter_ref: "acme",
};

describe("bills in words", () => {
  it("names a note by what it corrects", () => {
    expect(documentName(BILL)).toBe("Bill 000017");
    const note = { ...BILL, number: 1_000_018, kind: "credit_note", corrects: 17 };
    expect(documentName(note)).toBe("Credit note 1000018 of 000017");
  });

  it("counts what waits for a document, and not drafts", () => {
    const months = ["draft", "ready", "issued", "note_ready"].map((state) => ({ ...MONTH, state }));
    expect(waiting({ months, documents: [], leases: [], block_number: null })).toBe(2);
    expect(months.map((m) => monthState(m.state).tone)).toEqual([
      "quiet",
      "warning",
      "good",
      "warning",
    ]);
  });

  it("leads to files, whatever a lease is called", () => {
    expect(documentPath(4, 17, "pdf")).toBe("/v1/console/facilities/4/bills/17.pdf");
    const path = draftPath(4, { ...MONTH, lease_id: 'a&b="<x>' });
    const query = new URL(path, "http://x").searchParams;
    expect([query.get("month"), query.get("lease_id")]).toEqual(["2026-12", 'a&b="<x>']);
  });
});
