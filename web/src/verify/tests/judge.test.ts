import { zeroHash } from "viem";
import { describe, expect, it } from "vitest";
import { type Check, outcomeOf } from "../check";
import { checkEpoch } from "../checkEpoch";
import { EPOCH_CHECKS } from "../epochChecks";
import { judge } from "../judge";
import { EVIDENCE, golden } from "./vectors";
import { goldenChain, goldenSources, proofText, publishedFiles } from "./world";

const bytes = (text: string) => new TextEncoder().encode(text);
const row = (epoch: number, index: number) =>
  golden(epoch).files["lines.csv"].split("\n")[index + 1] ?? "";
const states = (checks: readonly Check[]) => Object.fromEntries(checks.map((c) => [c.id, c.state]));

describe("a pasted proof", () => {
  it("is placed by its leaf and found equal", async () => {
    for (const [epoch, index] of [
      [0, 1],
      [1, 6],
      [3, 5],
    ] as const) {
      const verdict = await judge(bytes(proofText(epoch, index)), {}, goldenSources());
      expect(verdict.place).toEqual({ facilityId: 7n, epoch });
      expect(states(verdict.checks)).toEqual({
        statement: "equal",
        leaf: "equal",
        root: "equal",
        contract: "equal",
      });
      expect(verdict.fields).toEqual([]);
    }
  });

  it("with a changed charge differs, names the field, and the contract says no", async () => {
    const verdict = await judge(
      bytes(proofText(1, 0, { charge_micros: "1" })),
      {},
      goldenSources(),
    );
    expect(outcomeOf(verdict.checks)).toBe("different");
    expect(states(verdict.checks)).toMatchObject({
      leaf: "different",
      root: "different",
      contract: "different",
    });
    expect(verdict.fields.map((f) => f.name)).toEqual(["charge_micros"]);
  });

  it("differs under another facility", async () => {
    const text = proofText(0, 0).replace("{", '{"facility_id": 8, "epoch": 0, ');
    const files = publishedFiles();
    files.set("facility-8/epoch-00000/statement.json", golden(0).files["statement.json"]);
    const verdict = await judge(bytes(text), {}, goldenSources(goldenChain(), files));
    expect(outcomeOf(verdict.checks)).toBe("different");
    expect(states(verdict.checks)).toMatchObject({ leaf: "different", root: "different" });
  });

  it("is not confirmed where the chain stores another statement, or none", async () => {
    const other = await judge(
      bytes(proofText(0, 0)),
      {},
      goldenSources(goldenChain(() => zeroHash)),
    );
    expect(states(other.checks)).toMatchObject({ statement: "different", root: "unknown" });
    const none = await judge(bytes(proofText(0, 0)), {}, goldenSources(goldenChain(() => null)));
    expect(outcomeOf(none.checks)).toBe("unknown");
  });
});

describe("a pasted line", () => {
  it("is found by its time and proven", async () => {
    const verdict = await judge(bytes(row(1, 0)), {}, goldenSources());
    expect(verdict.place).toEqual({ facilityId: 7n, epoch: 1 });
    expect(outcomeOf(verdict.checks)).toBe("equal");
  });

  it("that is late is found in the later epoch that states it", async () => {
    const late = golden(1)
      .files["lines.csv"].split("\n")
      .findIndex((r) => r.split(",")[1] === "2");
    const verdict = await judge(bytes(row(1, late - 1)), {}, goldenSources());
    expect(verdict.place?.epoch).toBe(1);
    expect(outcomeOf(verdict.checks)).toBe("equal");
  });

  it("that was changed differs, with the field", async () => {
    const cells = row(1, 1).split(",");
    cells[7] = "123456";
    const verdict = await judge(bytes(cells.join(",")), {}, goldenSources());
    expect(outcomeOf(verdict.checks)).toBe("different");
    expect(verdict.fields).toEqual([
      { name: "charge_micros", yours: "123456", published: row(1, 1).split(",")[7] },
    ]);
  });

  it("of no epoch that is known differs", async () => {
    const cells = row(1, 1).split(",");
    cells[4] = "1";
    cells[5] = "2";
    const verdict = await judge(bytes(cells.join(",")), {}, goldenSources());
    expect([verdict.place, outcomeOf(verdict.checks)]).toEqual([null, "different"]);
  });
});

describe("a dropped file", () => {
  it("is equal if it is the published one, whichever it is", async () => {
    const names = ["statement.json", "manifest.json", "lines.csv", "facts.jsonl"];
    for (const name of names) {
      const verdict = await judge(bytes(golden(2).files[name] ?? ""), {}, goldenSources());
      expect([name, outcomeOf(verdict.checks)]).toEqual([name, "equal"]);
      expect(verdict.place).toEqual({ facilityId: 7n, epoch: 2 });
    }
    const facility = await judge(bytes(EVIDENCE.facility.text), {}, goldenSources());
    expect(outcomeOf(facility.checks)).toBe("equal");
  });

  it("differs by one byte", async () => {
    const changed: [string, string][] = [
      [
        "statement.json",
        golden(2).files["statement.json"].replace(/"line_count": \d+/, '"line_count": 99'),
      ],
      ["manifest.json", golden(2).files["manifest.json"].replace(/"bytes": \d+/, '"bytes": 1')],
      ["lines.csv", golden(2).files["lines.csv"].replace(/,(\d)(\d*)\n/, ",9$1$2\n")],
      ["facility.json", EVIDENCE.facility.text.replace("SE-LULEA-1", "SE-LULEA-2")],
    ];
    for (const [name, text] of changed) {
      const verdict = await judge(bytes(text), {}, goldenSources());
      expect([name, outcomeOf(verdict.checks)]).toEqual([name, "different"]);
    }
  });

  it("that is nothing known is refused in words", async () => {
    await expect(judge(bytes("hello"), {}, goldenSources())).rejects.toThrow("not a line");
    await expect(judge(new Uint8Array([1, 2, 255]), {}, goldenSources())).rejects.toThrow();
  });
});

describe("checks of an epoch", () => {
  async function run(files = publishedFiles(), chain = goldenChain(), epoch = 1) {
    files.set(`facility-7/epoch-0000${epoch}/attestations.json`, "[]\n");
    const found = new Map<string, Check>();
    const sources = { ...goldenSources(chain, files), registry: EVIDENCE.registry };
    await checkEpoch(
      sources,
      7n,
      epoch,
      (check) => found.set(check.id, check),
      new AbortController().signal,
    );
    return found;
  }
  const different = (found: Map<string, Check>) =>
    [...found.values()].filter((c) => c.state === "different").map((c) => c.id);

  it("are all equal for what is published and stored", async () => {
    const found = await run();
    expect([...found.values()].filter((c) => c.state !== "equal")).toEqual([]);
    expect(found.size).toBe(EPOCH_CHECKS.length);
  });

  it("say which line was tampered with, and where it shows", async () => {
    const files = publishedFiles();
    const path = "facility-7/epoch-00001/lines.csv";
    const cells = row(1, 2).split(",");
    cells[7] = String(BigInt(cells[7] ?? "0") + 5n);
    files.set(path, (files.get(path) ?? "").replace(row(1, 2), cells.join(",")));
    const found = await run(files);
    expect(different(found)).toEqual(expect.arrayContaining(["files", "root", "charge", "sums"]));
    expect(found.get("sums")?.note).toContain("Line 2");
    expect(found.get("files")?.note).toContain("lines.csv");
    expect(found.get("statement")?.state).toBe("equal");
  });

  it("name the row that cannot be read", async () => {
    const files = publishedFiles();
    files.set(
      "facility-7/epoch-00001/lines.csv",
      golden(1).files["lines.csv"].replace("\n1,", "\nx,"),
    );
    const found = await run(files);
    expect(found.get("count")).toMatchObject({ state: "different" });
    expect(found.get("count")?.note).toContain("row 3");
  });

  it("differ where the chain stores another hash, and are not made where it stores none", async () => {
    const other = await run(
      publishedFiles(),
      goldenChain(() => zeroHash.replace("0x00", "0x12") as typeof zeroHash),
    );
    expect(different(other)).toEqual(["statement", "previous"]);
    const none = await run(
      publishedFiles(),
      goldenChain(() => null),
    );
    expect(none.get("statement")?.state).toBe("unknown");
    expect(outcomeOf([...none.values()])).toBe("unknown");
  });

  it("differ where another epoch's statement is served in its place", async () => {
    const files = publishedFiles();
    files.set("facility-7/epoch-00001/statement.json", golden(2).files["statement.json"]);
    expect(different(await run(files))).toEqual(
      expect.arrayContaining(["statement", "evidence", "root"]),
    );
  });

  it("are not compared where a file is missing, and nothing is said to be equal for it", async () => {
    const files = publishedFiles();
    files.delete("facility-7/epoch-00001/lines.csv");
    const found = await run(files);
    expect(found.get("root")?.state).toBe("unknown");
    expect(found.get("files")?.state).toBe("unknown");
    expect(outcomeOf([...found.values()])).toBe("unknown");
  });
});
