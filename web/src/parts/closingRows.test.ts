import { describe, expect, it } from "vitest";
import { closingRows } from "./closingRows";

const CLOSING = {
  missing_gpu_seconds: 72_000,
  bond_micros: 30,
  escrow_micros: 24,
  advanced_micros: 5,
  to_units_micros: [20, 10],
  to_vouchers_micros: [4, 0],
  to_treasury_micros: 1,
  to_operator_micros: 14,
};
const NOTHING = { unitsMicros: [0n, 0n], vouchersMicros: [0n, 0n], treasuryMicros: 0n };

describe("closingRows", () => {
  it("has every share once, so that all rows are bond and escrow less what was advanced", () => {
    const rows = closingRows(CLOSING, NOTHING);

    expect(rows.map((row) => row.who)).toEqual([
      "Units of tranche 0 (senior)",
      "Units of tranche 1 (junior)",
      "Vouchers of tranche 0 (senior)",
      "Treasury: the fee on missing hours",
      "Operator: the rest",
    ]);
    expect(rows.reduce((sum, row) => sum + row.gotMicros, 0n)).toBe(30n + 24n - 5n);
  });

  it("shows who got nothing and is still owed", () => {
    const claims = { unitsMicros: [0n, 7n], vouchersMicros: [0n, 3n], treasuryMicros: 2n };
    const rows = closingRows({ ...CLOSING, to_treasury_micros: 0 }, claims);

    expect(rows.map((row) => [row.who, row.owedMicros])).toEqual([
      ["Units of tranche 0 (senior)", 0n],
      ["Units of tranche 1 (junior)", 7n],
      ["Vouchers of tranche 0 (senior)", 0n],
      ["Vouchers of tranche 1 (junior)", 3n],
      ["Treasury: the fee on missing hours", 2n],
      ["Operator: the rest", null],
    ]);
  });
});
