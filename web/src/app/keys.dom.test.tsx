import { cleanup, fireEvent, screen, within } from "@testing-library/react";
import { afterEach, describe, expect, it } from "vitest";
import { KeysPage } from "../pages/operator/keys/KeysPage";
import { objections, open } from "./page.fixture";

const NOW_S = 1_800_000_000;
const SECRET = `rr_op_4fZkTq81LmXc_${"s".repeat(49)}`;
const WALLET = `0x${"ab".repeat(20)}`;
const KEY = {
  key_id: "rr_op_4fZkTq81LmXc",
  name: "collector-oslo",
  role: "operator",
  operator_id: 1,
  scopes: ["events:write", "read"],
  state: "live",
  created_at_s: NOW_S - 90_000,
  created_by: WALLET,
  last_used_s: null as number | null,
  expires_at_s: null as number | null,
  revoked_at_s: null as number | null,
  successor_id: null as string | null,
};
const ENDING = {
  ...KEY,
  key_id: "rr_op_000000000000",
  name: "pages",
  scopes: ["read"],
  state: "ending",
  created_by: "setting",
  last_used_s: NOW_S - 60,
  revoked_at_s: NOW_S + 3_600,
  successor_id: "rr_op_111111111111",
};
const GONE = { ...KEY, key_id: "rr_op_222222222222", name: "old", state: "revoked" };
const CHANGES = [
  {
    at_s: NOW_S - 60,
    change: "rotated",
    key_id: ENDING.key_id,
    name: "pages",
    role: "operator",
    operator_id: 1,
    actor: KEY.key_id,
    ends_at_s: NOW_S + 3_600,
  },
];
const SERVICE = {
  "/v1/keys": { total: 3, keys: [KEY, ENDING, GONE] },
  "/v1/keys/changes": { total: 1, changes: CHANGES },
  "/v1/config": { now_s: NOW_S },
};

async function rows() {
  const table = await screen.findByRole("table", { name: "API keys" });
  return within(table).getAllByRole("row").slice(1);
}

const press = (name: string | RegExp) => fireEvent.click(screen.getByRole("button", { name }));

describe("the page of API keys", () => {
  afterEach(cleanup);

  it("shows what each may do, its last use, who made it, and acts by state", async () => {
    const found = open(<KeysPage />, { service: SERVICE });

    const [live, ending, gone] = await rows();
    const buttons = (row: HTMLElement | undefined) =>
      within(row as HTMLElement)
        .queryAllByRole("button")
        .map((b) => b.getAttribute("aria-label"));

    expect(live?.textContent).toContain("rr_op_4fZkTq81LmXc");
    expect(live?.textContent).toContain("Push metering, read");
    expect(live?.textContent).toContain("never");
    expect(ending?.textContent).toContain("replaced by rr_op_111111111111");
    expect(ending?.textContent).toContain("by the admin");
    expect(buttons(live)).toEqual(["Rotate collector-oslo", "Revoke collector-oslo"]);
    expect(buttons(ending)).toEqual(["Revoke pages"]);
    expect(buttons(gone)).toEqual([]);
    const changes = await screen.findByRole("table", { name: "Changes of keys" });
    expect(changes.textContent).toContain(`by ${KEY.key_id}`);
    expect(await objections(found)).toEqual([]);
  });

  it("makes a key and shows its secret once, with a button to copy it", async () => {
    const answer = { key: KEY, api_key: SECRET };
    open(<KeysPage />, { service: { ...SERVICE, "POST /v1/keys": answer } });

    press("Make a key");
    const name = await screen.findByLabelText(/Name/);
    press("Make the key");
    expect(await screen.findByText("1 to 80 printable characters.")).toBeDefined();
    fireEvent.change(name, { target: { value: "collector-oslo" } });
    press("Make the key");

    const shown: HTMLInputElement = await screen.findByLabelText("API key");
    expect(shown.value).toBe(SECRET);
    expect(screen.getByText(/only time that the key is shown/)).toBeDefined();
    expect(screen.getByRole("button", { name: "Copy the key" })).toBeDefined();
    press("I have kept it");
    await vanished("API key");
    press("Make a key");
    expect(await screen.findByLabelText(/Name/)).toBeDefined();
    expect(screen.queryByDisplayValue(SECRET)).toBeNull();
  });

  it("says why the service refuses a key, at its field", async () => {
    const refused = {
      status: 409,
      code: "conflict",
      detail: "a live key has this name",
      field: "name",
      reason: "name_taken",
    };
    open(<KeysPage />, { service: { ...SERVICE, "POST /v1/keys": refused } });

    press("Make a key");
    fireEvent.change(await screen.findByLabelText(/Name/), { target: { value: "pages" } });
    press("Make the key");

    expect(await screen.findByText("Another key that works has this name.")).toBeDefined();
    expect(screen.queryByLabelText("API key")).toBeNull();
  });

  it("rotates: the successor's secret, and until when the old key works", async () => {
    const replaced = { ...KEY, state: "ending", revoked_at_s: NOW_S + 86_400 };
    const path = `POST /v1/keys/${KEY.key_id}/rotate`;
    const answer = { key: KEY, api_key: SECRET, replaced };
    open(<KeysPage />, { service: { ...SERVICE, [path]: answer } });

    await rows();
    press("Rotate collector-oslo");
    const overlap: HTMLSelectElement = await screen.findByLabelText(/The old key works on for/);
    expect(overlap.value).toBe("86400");
    press("Make the successor");

    const shown: HTMLInputElement = await screen.findByLabelText("API key");
    expect(shown.value).toBe(SECRET);
    expect(screen.getByText(/The old key is refused from/).textContent).toContain("2027-01-16");
  });

  it("revokes only after a second word, beside the last use", async () => {
    const path = `POST /v1/keys/${ENDING.key_id}/revoke`;
    open(<KeysPage />, {
      service: { ...SERVICE, [path]: { changed: true, key: { ...ENDING, state: "revoked" } } },
    });

    await rows();
    press("Revoke pages");
    expect(await screen.findByText(/It was last used/)).toBeDefined();
    expect(screen.getByText(/from the next request on/)).toBeDefined();
    press("Revoke the key");

    await vanished("Revoke the key", "button");
  });
});

/** Waits until nothing has this label, or no button this name. */
async function vanished(name: string, role?: "button"): Promise<void> {
  await expect
    .poll(
      () =>
        role === undefined ? screen.queryByLabelText(name) : screen.queryByRole(role, { name }),
      {
        timeout: 10_000,
      },
    )
    .toBeNull();
}
