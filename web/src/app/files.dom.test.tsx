import { cleanup, fireEvent, screen, waitFor, within } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import { DevicesFile } from "../pages/operator/files/DevicesFile";
import { ImportLeases } from "../pages/operator/files/ImportLeases";
import type { ConsoleFacility } from "../pages/operator/queries";
import { objections, open } from "./page.fixture";

const FACILITY = { facility_id: 1, name: "estuary" } as ConsoleFacility;
const READ = "POST /v1/console/facilities/1/leases/read";
const ROW = { line: 2, lease_id: "lease-7", event: { data: { prices: [] } } };
const REFUSED = { line: 3, name: "lease-8", reason: "not_a_number", detail: "no whole number" };
const answer = (status: string, code: string | null = null) => ({
  accepted: 0,
  duplicates: 0,
  rejected: 0,
  results: [{ index: 0, source: "s", id: "i", status, code, detail: code }],
});
const choose = (label: string | RegExp) =>
  fireEvent.change(screen.getByLabelText(label), {
    target: { files: [new File(["lease_id\n"], "leases.csv")] },
  });
const press = (name: string | RegExp) => fireEvent.click(screen.getByRole("button", { name }));

describe("leases from a file", () => {
  afterEach(cleanup);

  it("are shown row by row, recorded, and shown as they became", async () => {
    const found = open(<ImportLeases facility={FACILITY} onDone={vi.fn()} />, {
      service: {
        [READ]: { rows: [ROW], refused: [REFUSED] },
        "POST /v1/events/check": answer("accepted"),
        "POST /v1/events": answer("rejected", "sealed"),
      },
    });
    press("Check the file");
    expect(screen.getByText("Choose a file.")).toBeDefined();

    choose(/^File/);
    press("Check the file");
    await screen.findByText(/1 lease would be recorded, 0 there already, 1 refused/);
    expect(await objections(found)).toEqual([]);
    press("Record 1 lease");

    await screen.findByText("0 leases recorded, 0 there already, 2 refused.");
    const table = screen.getByRole("table", { name: "Rows of the file" });
    expect(within(table).getAllByText("Refused")).toHaveLength(2);
    press("Another file");
    expect(await screen.findByLabelText(/^File/)).toBeDefined();
  });

  it("say at the field what is wrong with the file", async () => {
    const problem = { status: 422, code: "invalid_input", field: "columns", detail: "no column x" };
    open(<ImportLeases facility={FACILITY} onDone={vi.fn()} />, { service: { [READ]: problem } });

    choose(/^File/);
    press("Check the file");

    expect(await screen.findByText("No column x.")).toBeDefined();
  });
});

describe("devices from a file", () => {
  afterEach(cleanup);
  const GOOD = { device: "GPU-1", card: "GPU-1", profile: null };

  it("fill the list if all can be taken, and else none", async () => {
    const taken = vi.fn();
    const path = "POST /v1/console/devices/read";
    open(<DevicesFile onDevices={taken} />, {
      service: { [path]: { devices: [GOOD], refused: [] } },
    });
    choose("Devices from a file");
    await waitFor(() => expect(taken).toHaveBeenCalledWith("GPU-1"));
    cleanup();

    const some = { devices: [GOOD], refused: [REFUSED] };
    const found = open(<DevicesFile onDevices={taken} />, { service: { [path]: some } });
    choose("Devices from a file");
    await screen.findByRole("table", { name: "Refused rows of the file" });
    expect(taken).toHaveBeenCalledTimes(1);
    expect(await objections(found)).toEqual([]);
  });
});
