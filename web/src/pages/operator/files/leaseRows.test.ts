import { describe, expect, it } from "vitest";
import type { CheckedLeases, Result } from "./fileQueries";
import { afterSending, eventsToSend, leaseRows, summaryOf } from "./leaseRows";

const result = (status: string, code: string | null = null, detail: string | null = null) =>
  ({ index: 0, source: "s", id: "i", status, code, detail }) satisfies Result;

const CHECKED: CheckedLeases = {
  file: {
    rows: [2, 4, 5, 6].map((line) => ({
      line,
      lease_id: `lease-${line}`,
      event: { id: line, data: { prices: [{ price: line, from: "2026-01-01T00:00:00Z" }] } },
    })),
    refused: [{ line: 3, name: "lease-3", reason: "not_a_number", detail: "no whole number" }],
  },
  results: [
    result("accepted"),
    result("duplicate"),
    result("rejected", "terms_invalid", "it ends before it begins"),
    result("rejected", "id_conflict", "already say something else"),
  ],
};

describe("rows of a file of leases", () => {
  it("stand in the order of the file, each with what becomes of it", () => {
    const rows = leaseRows(CHECKED);

    expect(rows.map((r) => [r.line, r.state, r.code])).toEqual([
      [2, "fresh", ""],
      [3, "refused", "not_a_number"],
      [4, "known", ""],
      [5, "refused", "terms_invalid"],
      [6, "refused", "id_conflict"],
    ]);
    expect(rows[4]?.why).toContain("agree a new version");
    expect(rows[0]?.price).toEqual({ micros: 2, from: "2026-01-01T00:00:00Z" });
    expect(rows[1]?.price).toBeNull();
    expect(summaryOf(rows, false)).toBe(
      "1 lease would be recorded, 1 there already, 3 refused. Nothing is recorded yet.",
    );
  });

  it("are sent if they would be recorded, and then say what came of that", () => {
    expect(eventsToSend(CHECKED)).toEqual([expect.objectContaining({ id: 2 })]);

    const sent = leaseRows(afterSending(CHECKED, [result("rejected", "sealed", "its month is")]));
    const taken = leaseRows(afterSending(CHECKED, [result("accepted")]));

    expect(sent[0]).toMatchObject({ line: 2, state: "refused", code: "sealed" });
    expect(summaryOf(taken, true)).toBe("1 lease recorded, 1 there already, 3 refused.");
  });

  it("may be none", () => {
    expect(summaryOf([], false)).toBe("The file has no rows below its header.");
  });
});
