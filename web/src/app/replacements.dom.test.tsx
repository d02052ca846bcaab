import { cleanup, fireEvent, screen, within } from "@testing-library/react";
import { afterEach, describe, expect, it } from "vitest";
import { Replacements } from "../pages/operator/metering/Replacements";
import { objections, open } from "./page.fixture";

const NOW_S = 1_800_000_000;
const OLD = "GPU-0f8e7d6c-5b4a-4938-a726-150493827160";
const NEW = "GPU-2d1b3c74-5e3f-4071-8cad-9eaf0b1c2d3e";
const WALLET = `0x${"ab".repeat(20)}`;
const WAITING = {
  old: OLD,
  new: NEW,
  card: NEW,
  reason: "RMA 17",
  from_epoch: 3,
  pledge_root: `0x${"12".repeat(32)}`,
  state: "pending",
  asked_at_s: NOW_S - 60,
  withdrawn_at_s: null as number | null,
  signatures: 1 as number | null,
  threshold: 2 as number | null,
  transaction: null as object | null,
};
const LAPSED = {
  ...WAITING,
  pledge_root: `0x${"34".repeat(32)}`,
  state: "lapsed",
  signatures: null,
  threshold: null,
};
const LIST = "/v1/facilities/7/replacements";
const page = <Replacements facilityId={7} account={WALLET} />;

const press = (name: string | RegExp) => fireEvent.click(screen.getByRole("button", { name }));

describe("replacements of a facility", () => {
  afterEach(cleanup);

  it("shows the newest first, and who is next", async () => {
    const found = open(page, { service: { [LIST]: [LAPSED, WAITING] } });

    const table = await screen.findByRole("table", { name: "Table of replacements" });
    const states = within(table)
      .getAllByRole("row")
      .slice(1)
      .map((row) => row.textContent.replace(/.*?(Waiting|Lapsed).*/, "$1"));

    expect(states).toEqual(["Waiting", "Lapsed"]);
    expect(screen.getByText(/1 of 2 signed/)).toBeDefined();
    expect(screen.queryByRole("button", { name: "Send the replacement" })).toBeNull();
    expect(await objections(found)).toEqual([]);
  });

  it("asks, and says at the field what the service refuses", async () => {
    const refused = {
      status: 422,
      code: "invalid_input",
      detail: "device 0xab is not pledged in epoch 3",
      field: "old",
    };
    open(page, { service: { [LIST]: [], [`POST ${LIST}`]: refused } });

    await screen.findByText("No card was replaced here.");
    press("Replace a card");
    fireEvent.change(await screen.findByLabelText("Card that goes"), { target: { value: OLD } });
    fireEvent.change(screen.getByLabelText("Card that comes"), { target: { value: NEW } });
    fireEvent.change(screen.getByLabelText("Reason"), { target: { value: "RMA 17" } });
    press("Ask for the replacement");

    expect(await screen.findByText("Device 0xab is not pledged in epoch 3.")).toBeDefined();
  });

  it("withdraws one that waits, or says why it cannot", async () => {
    const path = `POST ${LIST}/${WAITING.pledge_root}/withdraw`;
    const refused = {
      status: 409,
      code: "conflict",
      detail: "the replacement from epoch 3 is approved",
      reason: "replacement_not_pending",
    };
    open(page, { service: { [LIST]: [WAITING], [path]: refused } });

    await screen.findByText(/1 of 2 signed/);
    press("Withdraw…");
    expect(await screen.findByText(/can still be sent until epoch 3 begins/)).toBeDefined();
    press("Withdraw it");

    expect((await screen.findByRole("alert")).textContent).toContain("is approved.");
  });
});
