import { zeroHash } from "viem";
import { describe, expect, it } from "vitest";
import { recomputeInSlices } from "../background";
import { LINES_HEADER, parseLines, parseRow } from "../linesCsv";
import { recomputeNow } from "../recompute";
import { EVIDENCE, golden, jobOf, statementIn } from "./vectors";

const rowsIn = (text: string): string[] => text.split("\n").slice(1, -1);
const csv = (rows: string[]): string => [LINES_HEADER, ...rows, ""].join("\n");

/** The golden epoch with one cell of one row changed. */
function tampered(place: number, row: number, cell: number, change: (old: string) => string) {
  const rows = rowsIn(golden(place).files["lines.csv"]);
  const cells = (rows[row] ?? "").split(",");
  cells[cell] = change(cells[cell] ?? "");
  rows[row] = cells.join(",");
  return recomputeNow(jobOf(golden(place), csv(rows)));
}

const plusOne = (old: string): string => String(BigInt(old) + 1n);

describe("recomputation", () => {
  it("reproduces root and totals of every golden epoch and finds no fault", () => {
    for (const epoch of EVIDENCE.epochs) {
      const statement = statementIn(epoch);
      const report = recomputeNow(jobOf(epoch));
      expect(report).toEqual({
        count: statement.lineCount,
        root: statement.usageRoot,
        gpuSeconds: statement.billedGpuSeconds,
        chargeMicros: statement.grossRevenue,
        lastGpuSeconds: statement.billedGpuSeconds,
        lastChargeMicros: statement.grossRevenue,
        order: null,
        sums: null,
        contents: null,
        overlap: null,
        pledge: null,
      });
    }
  });

  it("gives root zero for a statement without lines", () => {
    const report = recomputeNow(jobOf(golden(0), csv([])));
    expect([report.count, report.root, report.gpuSeconds, report.order]).toEqual([
      0,
      zeroHash,
      0n,
      null,
    ]);
  });

  it("names the line whose charge was changed, by its sums, and gives another root", () => {
    const report = tampered(1, 4, 7, plusOne);
    expect(report.root).not.toBe(golden(1).root);
    expect(report.sums).toMatchObject({ line: 4, count: 1 });
    expect(report.chargeMicros).toBe(statementIn(golden(1)).grossRevenue + 1n);
  });

  it("names the line whose GPU-seconds were changed", () => {
    const report = tampered(0, 0, 6, plusOne);
    expect(report.contents?.line).toBe(0);
    expect(report.sums?.line).toBe(0);
  });

  it("gives another root where only a hash was changed, which no rule of lines shows", () => {
    const report = tampered(
      0,
      0,
      3,
      (old) => `${old.slice(0, -1)}${old.endsWith("0") ? "1" : "0"}`,
    );
    expect(report.root).not.toBe(golden(0).root);
    expect([report.order, report.sums, report.contents]).toEqual([null, null, null]);
  });

  it("names swapped lines, also when their indices were swapped along", () => {
    const rows = rowsIn(golden(1).files["lines.csv"]);
    const swapped = [...rows];
    [swapped[0], swapped[1]] = [rows[1] ?? "", rows[0] ?? ""];
    const report = recomputeNow(jobOf(golden(1), csv(swapped)));
    expect(report.order).toMatchObject({ line: 0, what: "it has index 1 at place 0" });
    // The tree itself does not mind the order of rows: the indices in the leaves do.
    expect(report.root).toBe(golden(1).root);
    const renumbered = swapped.map((row, i) => row.replace(/^\d+/, String(i)));
    const again = recomputeNow(jobOf(golden(1), csv(renumbered)));
    expect(again.order).toMatchObject({ line: 1, what: "it does not sort after the line before" });
    expect(again.root).not.toBe(golden(1).root);
  });

  it("names a missing and a repeated line", () => {
    const rows = rowsIn(golden(1).files["lines.csv"]);
    const without = recomputeNow(jobOf(golden(1), csv(rows.filter((_, i) => i !== 2))));
    expect(without.order?.line).toBe(2);
    expect(without.count).toBe(rows.length - 1);
    const twice = [...rows.slice(0, 3), rows[2] ?? "", ...rows.slice(3)];
    expect(() => recomputeNow(jobOf(golden(1), csv(twice)))).toThrow(
      "two leaves are equal: of lines 2 and 3",
    );
  });

  it("gives another root for another facility or epoch", () => {
    const job = jobOf(golden(0));
    expect(recomputeNow({ ...job, facilityId: job.facilityId + 1n }).root).not.toBe(golden(0).root);
    const elsewhere = { ...job.bounds, epoch: 1 };
    expect(recomputeNow({ ...job, bounds: elsewhere }).root).not.toBe(golden(0).root);
  });

  it("names a device that was not pledged, a line outside its epoch, and an overlap", () => {
    const job = jobOf(golden(0));
    const terms = job.facility ?? expect.fail("no terms");
    expect(recomputeNow({ ...job, facility: { ...terms, devices: [] } }).pledge?.line).toBe(0);
    expect(recomputeNow({ ...job, facility: null }).pledge).toBeNull();
    const later = {
      ...job.bounds,
      startS: job.bounds.startS + 3_600n,
      endS: job.bounds.endS + 3_600n,
    };
    expect(recomputeNow({ ...job, bounds: later }).contents?.line).toBe(0);
    const [first = ""] = rowsIn(golden(0).files["lines.csv"]);
    const line = parseRow(first, 2);
    const row = (i: number, start: bigint, end: bigint) =>
      `${i},0,${line.subject},${line.lease},${start},${end},${end - start},0,0,0`;
    const s = line.startS;
    const meeting = csv([row(0, s, s + 10n), row(1, s + 9n, s + 20n)]);
    expect(recomputeNow({ ...job, text: meeting }).overlap).toMatchObject({
      line: 1,
      what: expect.stringContaining("line 0") as string,
    });
    const touching = csv([row(0, s, s + 10n), row(1, s + 10n, s + 20n)]);
    expect(recomputeNow({ ...job, text: touching }).overlap).toBeNull();
  });

  it("runs in slices with progress, to the same report, and stops when told", async () => {
    const shares: number[] = [];
    const job = jobOf(golden(1));
    expect(await recomputeInSlices(job, (share) => shares.push(share))).toEqual(recomputeNow(job));
    const many = jobOf(golden(0), csv(manyRows(2_500)));
    const ended = new AbortController();
    const running = recomputeInSlices(
      many,
      (share) => {
        shares.push(share);
        ended.abort(new Error("left the page"));
      },
      ended.signal,
    );
    await expect(running).rejects.toThrow("left the page");
    expect(shares.every((share) => share >= 0 && share <= 1)).toBe(true);
  });
});

function manyRows(count: number): string[] {
  const device = `0x${"11".repeat(32)}`;
  return Array.from(
    { length: count },
    (_, i) =>
      `${i},0,${device},${device},${1_767_225_600 + i},${1_767_225_601 + i},1,7,${i + 1},${7 * (i + 1)}`,
  );
}

describe("lines.csv", () => {
  const good = golden(0).files["lines.csv"];

  it("is refused where anything but its one form stands", () => {
    const bad = [
      good.slice(0, -1),
      `${good}\n`,
      good.replaceAll("\n", "\r\n"),
      good.replace("index,", "Index,"),
      good.replace("\n1,", "\nx,"),
      good.replace("\n1,", "\n01,"),
      good.replace("\n1,", "\n 1,"),
      good.replace("\n1,", "\n4294967296,"),
      good.replace("0x", "0xff"),
      good.replace(/,(\d+)\n/, ",+$1\n"),
      good.replace(/,(\d+)\n/, "\n"),
      "",
    ];
    for (const text of bad) {
      expect(text).not.toBe(good);
      expect(() => parseLines(text)).toThrow();
    }
  });

  it("names the row that is broken", () => {
    expect(() => parseLines(good.replace("\n1,", "\nx,"))).toThrow("row 3");
  });

  it("keeps every digit", () => {
    const hash = `0x${"0".repeat(64)}`;
    const row = `0,0,${hash},${hash},0,1,1,-170141183460469231731687303715884105728,18446744073709551615,9007199254740993`;
    const line = parseRow(row, 2);
    expect(line.chargeMicros).toBe(-(2n ** 127n));
    expect(line.cumulativeGpuSeconds).toBe(2n ** 64n - 1n);
    expect(line.cumulativeChargeMicros).toBe(9_007_199_254_740_993n);
  });
});
