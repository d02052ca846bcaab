import { describe, expect, it } from "vitest";
import { type OrderFields, orderDefaults, orderOf } from "./orderForm";

const LEASE = `0x${"5a".repeat(32)}` as const;
const NOW_S = 1_800_000_030;
const OF = { facilityId: 7n, lease: LEASE, nonce: 99n, nowS: NOW_S };
const FIELDS: OrderFields = {
  holder: "0xa1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1",
  seniority: "1",
  units: "12",
  deadline: "2027-01-16T00:00",
};

describe("the form of a delivery order", () => {
  it("gives what is signed", () => {
    expect(orderOf(FIELDS, OF)).toEqual({
      order: {
        holder: "0xA1A1a1a1A1A1A1A1A1a1a1a1a1a1A1A1a1A1a1a1",
        id: (7n << 8n) | 1n,
        units: 12n,
        lease: LEASE,
        nonce: 99n,
        deadline: 1_800_057_600n,
      },
      errors: {},
    });
  });

  it.each<[string, Partial<OrderFields>, string[]]>([
    ["nothing typed yet", { holder: "", units: "" }, []],
    ["no address", { holder: "0x12" }, ["holder"]],
    ["no units", { units: "0" }, ["units"]],
    ["half a unit", { units: "0.5" }, ["units"]],
    ["a time that is over", { deadline: "2026-01-01T00:00" }, ["deadline"]],
    ["no time", { deadline: "" }, ["deadline"]],
  ])("says what is wrong: %s", (_, change, wrong) => {
    const { order, errors } = orderOf({ ...FIELDS, ...change }, OF);

    expect(order).toBeNull();
    expect(Object.keys(errors)).toEqual(wrong);
  });

  it("proposes a week, and no time after the window", () => {
    expect(orderDefaults(NOW_S, NOW_S + 10 ** 8).deadline).toBe("2027-01-22T08:00");
    expect(orderDefaults(NOW_S, NOW_S + 86_400).deadline).toBe("2027-01-16T08:00");
  });
});
