import { cleanup, screen, within } from "@testing-library/react";
import { afterEach, describe, expect, it } from "vitest";
import { objections, open } from "./page.fixture";
import { Attesters } from "../pages/audit/Attesters";
import { MarketTable } from "../pages/market/MarketTable";
import type { Row } from "../pages/market/queries";
import { EVERYTHING } from "../pages/market/search";
import { ApprovalStep } from "../pages/operator/launch/ApprovalStep";
import type { ChainFacts } from "../pages/operator/chainFacts";
import { Terms } from "../pages/tranche/Terms";
import { Buy } from "../pages/tranche/buy/Buy";
import type { Tranche } from "../pages/tranche/queries";

const [FIRST, SECOND, THIRD] = [
  "0x1111111111111111111111111111111111111111",
  "0x2222222222222222222222222222222222222222",
  "0x3333333333333333333333333333333333333333",
] as const;
const REGISTRY = "0x5FbDB2315678afecb367f032d93F642f64180aa3";
const URLS: Record<string, string> = {
  [FIRST]: "https://first.example/verdicts",
  [SECOND]: "javascript:alert(1)",
};

const row = (address: string) => ({
  address,
  active_from_s: 1_700_000_000,
  active_until_s: null,
  active: true,
  bond_micros: 100_000_000,
  statements_signed: 3,
  statements_voided: 0,
  last_signed_at_s: null,
});

const FACILITY = {
  facility_id: 1,
  panel: { number: 1, threshold: 2, attesters: [FIRST, SECOND, THIRD] },
  pledge: {
    root: `0x${"ab".repeat(32)}`,
    number: null as number | null,
    approved_at: null as number | null,
  },
};
const APPROVED = { ...FACILITY.pledge, number: 3, approved_at: 1_799_000_000 };

const WORLD = {
  service: { "/v1/attesters": { attesters: [FIRST, SECOND, THIRD].map(row) } },
  chain: {
    attesterRegistry: REGISTRY,
    minimumBond: 100_000_000n,
    panelCount: 2,
    offerPanel: 1,
    panelOf: (panel: number | bigint) =>
      Number(panel) === 1 ? [[FIRST, SECOND, THIRD], 2] : [[], 0],
    bondOf: (account: string) => (account === THIRD ? 99_999_999n : 100_000_000n),
    isAttester: (account: string) => account !== THIRD,
    urlOf: (account: string) => URLS[account] ?? "",
  },
};

afterEach(cleanup);

describe("attesters on their page", () => {
  it("shows panels with seats and threshold, and the one that new offers are given", async () => {
    const found = open(<Attesters />, WORLD);

    const panels = await screen.findByRole("table", { name: "Panels of attesters" });
    const [, first, second] = within(panels).getAllByRole("row");

    expect(first?.textContent).toContain("2 of 3");
    expect(first?.textContent).toContain("are given this panel");
    expect(within(first as HTMLElement).getAllByRole("link")).toHaveLength(3);
    expect(second?.textContent).toContain("its first seats do not hold yet");
    expect(await objections(found)).toEqual([]);
  });

  it("says of a bond below the least what follows, and links web addresses alone", async () => {
    open(<Attesters />, WORLD);
    await screen.findByRole("table", { name: "Panels of attesters" });

    const table = screen.getByRole("table", { name: "Attesters and what they signed" });
    const rows = within(table).getAllByRole("row").slice(1);
    const hrefs = within(table)
      .getAllByRole("link")
      .map((link) => link.getAttribute("href") ?? "");

    expect(rows.map((r) => /do not count/.test(r.textContent))).toEqual([false, false, true]);
    expect(rows[2]?.textContent).toContain("below the least of 100.00");
    expect(hrefs.filter((href) => !href.startsWith("/portfolio/"))).toEqual([
      "https://first.example/verdicts",
    ]);
    expect(rows[1]?.textContent).toContain("no web address: javascript:alert(1)");
    expect(rows[2]?.textContent).toContain("none named");
  });

  it("says so where the chain cannot be read, and shows what the service knows", async () => {
    open(<Attesters />, { service: WORLD.service });

    expect(await screen.findByText(/The chain cannot be read just now/)).toBeDefined();
    expect(screen.getByRole("table", { name: "Attesters and what they signed" })).toBeDefined();
  });
});

/** A facility whose sale is open, with what PrimarySale and others say of it. */
const SALE_CHAIN = {
  ...WORLD.chain,
  pledgeRegistry: REGISTRY,
  epochTermsOf: {
    state: 1,
    windowStart: 1_900_000_000n,
    windowEnd: 1_900_014_400n,
    epochLength: 3_600,
    deviceCount: 4,
    panel: 1,
  },
  pledgesOf: [] as object[],
  bookOf: {
    state: 1,
    boughtAtBlock: 0n,
    soldUnits: 2n,
    proceeds: 3_000_000n,
    counted: 3_000_000n,
    released: 0n,
    returned: 0n,
  },
  saleTermsOf: {
    opensAt: 1_700_000_000n,
    closesAt: 1_899_999_000n,
    floorProceeds: 3_000_000n,
    upFrontBps: 2_000,
    unitPrices: [1_500_000n],
  },
  stateOf: 1,
  termsOf: {
    gpuOperator: FIRST,
    settlementToken: REGISTRY,
    windowStart: 1_900_000_000n,
    windowEnd: 1_900_014_400n,
    expiresAt: 1_900_014_400n,
    epochLength: 3_600,
    patienceSeconds: 604_800,
    sealSeconds: 3_024_000,
    longStopSeconds: 15_552_000,
    deviceCount: 4,
    promisedAvailabilityPpm: 990_000,
    feeBps: 100,
    attesterFeeBps: 4_000,
    pledgeRoot: FACILITY.pledge.root,
    termsHash: FACILITY.pledge.root,
  },
  tranchesOf: [{ unitCap: 12n, couponPerUnit: 0n }],
  totalSupply: 2n,
  paused: false,
  hasTerms: true,
  bondTermsOf: { requiredBond: 10n, ratePerGpuHour: 1_500_000n },
  isSufficient: true,
  bondOf: 10_000_000n,
  symbol: "mUSD",
  decimals: 6,
};

describe("the card that sells units", () => {
  const warning =
    /2 of 3 attesters must approve the devices .* and have not yet; without that the sale fails at the window's start and the price goes back/;

  it("says before anything is bought that the devices are not approved", async () => {
    const found = open(<Buy tokenId="256" />, { chain: SALE_CHAIN });

    expect(await screen.findByText(warning)).toBeDefined();
    expect(found.container.textContent).toContain("if attesters approve the devices");
    expect(await objections(found)).toEqual([]);
  });

  it("has no such warning once they are", async () => {
    const pledge = {
      root: FACILITY.pledge.root,
      fromEpoch: 0,
      approvedAt: 1_799_000_000,
      number: 3n,
    };
    open(<Buy tokenId="256" />, { chain: { ...SALE_CHAIN, pledgesOf: [pledge] } });

    expect(await screen.findByText("Devices approved by attesters")).toBeDefined();
    expect(screen.queryByText(warning)).toBeNull();
  });

  it("does not offer to end a sale that waits for the approval", async () => {
    const over = { ...SALE_CHAIN.saleTermsOf, closesAt: 1_799_999_999n };
    const found = open(<Buy tokenId="256" />, { chain: { ...SALE_CHAIN, saleTermsOf: over } });

    expect(await screen.findByText(/can be ended once 2 of 3 attesters approved/)).toBeDefined();
    expect(await objections(found)).toEqual([]);
  });
});

describe("the launch of a facility", () => {
  const facts = {
    windowStartS: 1_900_000_000,
    attesterFeeBps: 4_000,
    approval: { approvedAtS: null, panel: FACILITY.panel },
  } as unknown as ChainFacts;

  it("waits for approval, and says who is asked and where each would refuse", async () => {
    const found = open(<ApprovalStep facts={facts} state="waiting" />, WORLD);

    const seats = await screen.findByRole("list", { name: "Panel 1" });
    const lines = within(seats)
      .getAllByRole("listitem")
      .map((item) => item.textContent);

    expect(found.container.textContent).toContain("Waits for approval by 2 of 3 attesters");
    expect(found.container.textContent).toContain(
      "see the share of attesters: 40 % of the protocol fee",
    );
    expect(lines[0]).toContain("says at https://first.example/verdicts why it refuses");
    expect(lines[1]).toContain("names no address for refusals");
    expect(lines[2]).toContain("cannot sign now");
    expect(await objections(found)).toEqual([]);
  });
});

describe("a facility's terms and its row in the market", () => {
  const row = (facilityId: number, state: string) =>
    ({
      token_id: String(facilityId << 8),
      facility_id: facilityId,
      facility_name: `facility ${facilityId}`,
      seniority: 0,
      tranche_count: 1,
      operator: { address: FIRST, name: "operator" },
      gpu_class: "H100",
      site: "LULEA",
      window_start_s: 1_900_000_000,
      window_end_s: 1_900_014_400,
      device_count: 4,
      state,
      unit_cap: 12,
      units_left: null,
      price_micros: null,
      coupon_micros_per_unit: 0,
      utilisation_ppm: null,
      paid_per_unit_micros: null,
    }) as unknown as Row;

  it("mark an offer whose devices are not approved, and no other", async () => {
    const rows = [row(1, "offered"), row(2, "offered"), row(3, "delivering")];
    const service = {
      "/v1/facilities/1": FACILITY,
      "/v1/facilities/2": { ...FACILITY, facility_id: 2, pledge: APPROVED },
      // Of a facility that is no offer any more nobody asks.
      "/v1/facilities/3": { ...FACILITY, facility_id: 3 },
    };
    open(<MarketTable rows={rows} search={EVERYTHING} onSort={() => undefined} />, { service });

    const badge = await screen.findByText("Devices not approved yet");

    expect(screen.getAllByText("Devices not approved yet")).toHaveLength(1);
    expect(badge.closest("tr")?.textContent).toContain("facility 1");
  });

  it("name the panel, when it approved the devices, and what it earns", async () => {
    const tranche = {
      ...row(1, "offered"),
      terms: {
        epochs_posted: 0,
        epoch_count: 4,
        promised_availability_ppm: 990_000,
        patience_s: 604_800,
        seal_s: 3_024_000,
        long_stop_s: 15_552_000,
        fee_bps: 100,
        attester_fee_bps: 4_000,
        settlement_token: REGISTRY,
        pledge_root: FACILITY.pledge.root,
        terms_hash: FACILITY.pledge.root,
      },
      epoch_length_s: 3_600,
    } as unknown as Tranche;
    const found = open(<Terms tranche={tranche} />, { service: { "/v1/facilities/1": FACILITY } });

    const link = await screen.findByRole("link", { name: "panel 1" });

    expect(link.getAttribute("href")).toBe("/audit#attesters");
    expect(link.closest("dd")?.textContent).toBe("panel 1, 2 of 3 attesters sign");
    expect(found.container.textContent).toContain("Devices approved by attestersnot yet");
    expect(found.container.textContent).toContain("Attesters' share of the fee40 %");
    expect(await objections(found)).toEqual([]);
  });
});
