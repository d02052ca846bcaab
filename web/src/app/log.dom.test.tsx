import { cleanup, screen, within } from "@testing-library/react";
import { afterEach, describe, expect, it } from "vitest";
import { Log } from "../pages/operator/metering/Log";
import { objections, open } from "./page.fixture";

const NOW_S = 1_800_000_000;
const LOG = {
  log: `31337:0x${"ab".repeat(20)}:7`,
  log_key: "A".repeat(43),
  unsigned: "taken",
  size: 1_204,
  head: `0x${"12".repeat(32)}`,
  recorded_at_s: NOW_S,
};
const LEDGER = {
  key: "B".repeat(43),
  role: "ledger",
  name: "ledger key",
  entry: 2,
  ended: null as number | null,
  last_entry: 1_100,
  after: "34".repeat(32),
  used_at_s: NOW_S - 60,
};
const RACK = { ...LEDGER, key: "C".repeat(43), role: "collector", name: "rack-1", ended: 1_204 };
const serving = (log: object, keys: object[]) => ({
  service: { "/v1/facilities/7/log": log, "/v1/facilities/7/log/keys": keys },
});
const page = <Log facilityId={7} />;

describe("log of a facility", () => {
  afterEach(cleanup);

  it("shows how far it is, and whose keys sign", async () => {
    const found = open(page, serving(LOG, [LEDGER, RACK]));

    const table = await screen.findByRole("table", { name: "Keys of the log" });
    const rows = within(table)
      .getAllByRole("row")
      .slice(1)
      .map((row) => row.textContent);

    expect(rows[0]).toContain("everything");
    expect(rows[0]).toContain("1,100");
    expect(rows[1]).toContain("rack-1");
    expect(rows[1]).toContain("Ended by entry 1,204");
    expect(screen.getByText(/1,204 entries/)).toBeDefined();
    expect(screen.getByText(/nobody signed are taken too/)).toBeDefined();
    expect(await objections(found)).toEqual([]);
  });

  it("says what to do where nobody signs yet, and where everybody must", async () => {
    open(page, serving({ ...LOG, unsigned: "refused", size: 0 }, []));

    expect(await screen.findByText("No key signs here yet")).toBeDefined();
    expect(screen.getByText("0 entries")).toBeDefined();
    expect(screen.getByText(/Only signed requests are taken/)).toBeDefined();
  });
});
