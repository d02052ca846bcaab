import { describe, expect, it } from "vitest";
import { BOND_DEFAULTS, type BondFields, bondTerms } from "./bondForm";

const fields: BondFields = { ...BOND_DEFAULTS, minimum: "5000", price: "2.49" };
const termsWith = (part: Partial<BondFields>) => bondTerms({ ...fields, ...part }).terms;

describe("bondTerms", () => {
  it("converts money to micros and hours to seconds", () => {
    expect(bondTerms(fields)).toEqual({
      terms: {
        requiredBond: 5_000_000_000n,
        ratePerGpuHour: 2_490_000n,
        graceSeconds: 86_400,
        defaultAfterEpochs: 3,
      },
      errors: {},
    });
  });

  it("has no terms and no complaint while a field is empty", () => {
    expect(bondTerms(BOND_DEFAULTS)).toEqual({ terms: null, errors: {} });
  });

  it("says which text is no number", () => {
    const wrong = { minimum: "1.0000001", price: "-1", graceHours: "1.5", epochs: "x" };

    const { terms, errors } = bondTerms(wrong);

    expect(terms).toBeNull();
    expect(Object.keys(errors)).toEqual(["minimum", "price", "graceHours", "epochs"]);
  });

  it("takes what the contract's fields can hold, and no more", () => {
    expect(termsWith({ price: "18446744073709.551615" })?.ratePerGpuHour).toBe(2n ** 64n - 1n);
    expect(termsWith({ price: "18446744073709.551616" })).toBeNull();
    expect(termsWith({ graceHours: "1193046" })?.graceSeconds).toBe(4_294_965_600);
    expect(termsWith({ graceHours: "1193047" })).toBeNull();
    expect(termsWith({ epochs: "65535" })?.defaultAfterEpochs).toBe(65_535);
    expect(termsWith({ epochs: "65536" })).toBeNull();
    expect(termsWith({ minimum: "0", price: "0" })).toBeNull();
    expect(termsWith({ minimum: "0" })).not.toBeNull();
  });
});
