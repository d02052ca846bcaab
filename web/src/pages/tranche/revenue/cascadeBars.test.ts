import { describe, expect, it } from "vitest";
import { barsOf } from "./cascadeBars";
import type { WaterfallMoney } from "../queries";

const money: WaterfallMoney = {
  attested_micros: 1_000,
  collected_micros: 800,
  settled_micros: 800,
  fees_micros: 8,
  advanced_micros: 0,
  recovered_micros: 0,
  recovered_by_vouchers_micros: 0,
  steps: [
    { token_id: "256", seniority: 0, coupon_due_micros: 600, paid_micros: 592, arrears_micros: 8 },
    { token_id: "257", seniority: 1, coupon_due_micros: null, paid_micros: 200, arrears_micros: 0 },
  ],
  owed_to_operator_micros: 0,
  receivable_micros: 200,
  prepaid_micros: 0,
};

describe("barsOf", () => {
  it("lets what goes out end where what was settled ends", () => {
    const bars = barsOf(money, String);

    const last = bars.at(-1);
    expect(last?.name).toBe("Tranche 1 (junior)");
    expect((last?.from ?? 0) + (last?.width ?? 0)).toBeCloseTo(80);
  });

  it("names what is owed by renters and what a tranche is behind", () => {
    const notes = barsOf(money, String).map((bar) => bar.note);

    expect(notes).toContain("200 attested and not paid by renters yet");
    expect(notes).toContain("8 of its coupon in arrears");
  });

  it("never leaves the scale when bond and sale paid more than rent was attested", () => {
    const closed = { ...money, recovered_micros: 4_000, recovered_by_vouchers_micros: 1_000 };
    const bars = barsOf(closed, String);

    for (const bar of bars) expect(bar.from + bar.width).toBeLessThanOrEqual(100.0001);
    expect(bars.find((bar) => bar.name === "From bond and sale")?.micros).toBe(5_000);
    expect(bars.find((bar) => bar.name === "Vouchers")?.micros).toBe(1_000);
  });

  it("says what of the settled rent the bond paid", () => {
    const notes = barsOf({ ...money, advanced_micros: 100 }, String).map((bar) => bar.note);

    expect(notes).toContain("100 of it paid by the bond in place of renters");
  });

  it("draws nothing while nothing is attested", () => {
    const idle = barsOf(
      {
        ...money,
        attested_micros: 0,
        collected_micros: 0,
        settled_micros: 0,
        fees_micros: 0,
        steps: [],
        receivable_micros: 0,
      },
      String,
    );

    for (const bar of idle) expect(bar.width).toBe(0);
  });
});
