import { describe, expect, it } from "vitest";
import { MINT_BLANK, mintOf } from "./mintForm";

const HOLDER = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
const tranches = [
  { id: 256n, capUnits: 800n, couponPerUnitMicros: 0n, supplyUnits: 790n },
  { id: 257n, capUnits: 400n, couponPerUnitMicros: 0n, supplyUnits: 0n },
];
const fields = { tranche: "1", holder: HOLDER, units: "400" };

describe("mintOf", () => {
  it("names account, tranche and units in the contract's order", () => {
    expect(mintOf(fields, tranches)).toEqual({
      holder: HOLDER,
      args: [HOLDER, 257n, 400n],
      errors: {},
    });
  });

  it("complains of nothing while fields are empty, and sends nothing", () => {
    expect(mintOf(MINT_BLANK, tranches)).toEqual({ holder: null, args: null, errors: {} });
  });

  it("mints no more than is left of the tranche", () => {
    const senior = { ...fields, tranche: "0", units: "11" };

    expect(mintOf(senior, tranches)).toMatchObject({
      args: null,
      errors: { units: "Only 10 units are left." },
    });
    expect(mintOf({ ...senior, units: "10" }, tranches).args).not.toBeNull();
  });

  it.each(["0", "1.5", "-1", "x"])("refuses %s units", (units) => {
    expect(mintOf({ ...fields, units }, tranches)).toMatchObject({
      args: null,
      errors: { units: "Whole units, at least 1." },
    });
  });

  it("refuses an account with a letter wrong, by its checksum", () => {
    expect(mintOf({ ...fields, holder: HOLDER.replace("C8", "c8") }, tranches)).toMatchObject({
      holder: null,
      args: null,
      errors: { holder: "Not an address." },
    });
    expect(mintOf({ ...fields, holder: ` ${HOLDER.toLowerCase()} ` }, tranches).holder).toBe(
      HOLDER,
    );
  });
});
