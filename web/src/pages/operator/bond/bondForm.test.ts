import { describe, expect, it } from "vitest";
import { BOND_DEFAULTS, type BondFields, bondTerms, warningOfPrice } from "./bondForm";

const fields: BondFields = { minimum: "5000", price: "2.49", rent: "" };
const termsWith = (part: Partial<BondFields>) => bondTerms({ ...fields, ...part }).terms;

describe("bondTerms", () => {
  it("converts money to micros", () => {
    expect(bondTerms(fields)).toEqual({
      terms: { requiredBond: 5_000_000_000n, ratePerGpuHour: 2_490_000n },
      errors: {},
    });
  });

  it("has no terms and no complaint while a field is empty", () => {
    expect(bondTerms(BOND_DEFAULTS)).toEqual({ terms: null, errors: {} });
  });

  it("says which text is no number", () => {
    const { terms, errors } = bondTerms({ minimum: "1.0000001", price: "-1", rent: "2,5" });

    expect(terms).toBeNull();
    expect(Object.keys(errors)).toEqual(["minimum", "price", "rent"]);
  });

  it("takes what the contract's fields can hold, and no more", () => {
    expect(termsWith({ price: "18446744073709.551615" })?.ratePerGpuHour).toBe(2n ** 64n - 1n);
    expect(termsWith({ price: "18446744073709.551616" })).toBeNull();
    expect(termsWith({ minimum: "79228162514264337593543.950335" })?.requiredBond).toBe(
      2n ** 96n - 1n,
    );
    expect(termsWith({ minimum: "79228162514264337593543.950336" })).toBeNull();
    expect(termsWith({ minimum: "0", price: "0" })).toEqual({
      requiredBond: 0n,
      ratePerGpuHour: 0n,
    });
  });
});

describe("warningOfPrice", () => {
  it.each<[string, Partial<BondFields>, RegExp | null]>([
    ["above the rent", { rent: "2.48" }, /2\.49 .*2\.48.*more than performance/],
    ["of the rent itself", { rent: "2.49" }, null],
    ["without a rent to compare", {}, null],
    ["of nothing", { price: "0" }, /cost nothing/],
    ["that is no number", { price: "2,49", rent: "1" }, null],
  ])("%s", (_, change, expected) => {
    const found = warningOfPrice({ ...fields, ...change });

    if (expected === null) expect(found).toBeNull();
    else expect(found).toMatch(expected);
  });
});
