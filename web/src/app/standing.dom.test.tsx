import { cleanup, screen } from "@testing-library/react";
import { afterEach, describe, expect, it } from "vitest";
import { Shell } from "./Shell";
import { objections, open } from "./page.fixture";
import { standingOf } from "./standing";

const NOW_S = 1_800_000_000;
const INDEX = {
  state: "following",
  reason: null as string | null,
  since_s: NOW_S - 9_000,
  seen_at_s: NOW_S - 5,
  now_s: NOW_S,
  chain_head: 1_200,
  checked_block: 1_100,
};
const status = (index: Partial<typeof INDEX> | null) => ({
  chain_head: 1_250,
  indexed_block: 1_200,
  final_block: 1_100,
  index: index && { ...INDEX, ...index },
  now_s: NOW_S,
  open_transactions: 0,
  attester_warnings: [],
});
const REASON = "a reorg below what was final; `rentroll reindex --from-chain` reads all of it anew";

/** A page as it is shown while the index stands so. */
const page = (index: Partial<typeof INDEX> | null) =>
  open(<Shell />, { service: { "/v1/status": status(index) } });

afterEach(cleanup);

describe("every page, by how the index stands", () => {
  it("says on top, as an alert, that it shows old numbers once the index is halted", async () => {
    const found = page({ state: "halted", reason: REASON });

    const alert = await screen.findByRole("alert");

    expect(alert.getAttribute("data-tone")).toBe("bad");
    expect(alert.textContent).toContain("old numbers, as of block 1,200");
    expect(alert.textContent).toContain("2027-01-15 05:30 UTC");
    expect(alert.textContent).toContain(REASON);
    const main = screen.getByRole("main");
    expect(main.textContent.startsWith(alert.textContent)).toBe(true);
    expect(screen.getByRole("contentinfo").textContent).toContain("which is not up to date");
    expect(await objections(found)).toEqual([]);
  });

  it("says nothing of it while the index follows", async () => {
    page({});

    expect(await screen.findByText(/as of block 1,200 \(50 behind the head\), 2027/)).toBeDefined();
    expect(screen.queryByRole("alert")).toBeNull();
  });

  it("says in its foot that it catches up", async () => {
    page({ state: "catching_up" });

    expect(await screen.findByText(/catching up, 2027/)).toBeDefined();
    expect(screen.queryByRole("alert")).toBeNull();
  });
});

describe("what is wrong with the index", () => {
  const said = (index: Partial<typeof INDEX> | null) => standingOf(status(index));

  it.each([
    ["a contradiction", { state: "incomplete", reason: REASON }, "bad", /may be wrong/],
    ["a node that is away", { state: "waiting", reason: "x" }, "warning", /cannot read the chain/],
    ["nobody who looks", { seen_at_s: NOW_S - 300 }, "warning", /Nothing has read .* 07:55 UTC/],
    ["nobody who catches up", { state: "catching_up", seen_at_s: 0 }, "warning", /Nothing/],
    ["a halt of now", { state: "halted", since_s: NOW_S }, "bad", /old numbers/],
  ] as const)("is told of %s", (_, index: Partial<typeof INDEX>, tone, sentence) => {
    const found = said(index);

    expect(found?.tone).toBe(tone);
    expect(found?.sentence).toMatch(sentence);
    expect(found?.reason).toBe(index.reason ?? null);
  });

  it.each([
    ["a service that never read the chain", null],
    ["a node that did not answer once", { state: "waiting", since_s: NOW_S - 59 }],
    ["a long step of the worker", { seen_at_s: NOW_S - 299 }],
  ])("is nothing of %s", (_, index) => {
    expect(said(index)).toBeNull();
  });
});
