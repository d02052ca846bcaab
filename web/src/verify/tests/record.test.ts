import { describe, expect, it } from "vitest";
import { hexOf } from "../bytes";
import { fieldsOf, leafOf } from "../line";
import { LINES_HEADER, parseLines } from "../linesCsv";
import { lineFromJson, recognise } from "../record";
import { EVIDENCE, golden, statementIn } from "./vectors";

const epoch = golden(1);
const lines = parseLines(epoch.files["lines.csv"]);
const rows = epoch.files["lines.csv"].split("\n").slice(1, -1);

describe("recognise", () => {
  it("knows a proof, with or without its place", () => {
    const line = lines[2];
    if (line === undefined) throw new Error("no line");
    const json = Object.fromEntries(fieldsOf(line));
    const leaf = hexOf(leafOf(7n, 1, line));
    const proof = { line: json, leaf, proof: epoch.proofs[2], root: epoch.root };
    expect(recognise(JSON.stringify(proof))).toEqual({
      type: "proof",
      line,
      leaf,
      proof: epoch.proofs[2],
      root: epoch.root,
      place: null,
    });
    const placed = JSON.stringify({ facility_id: 7, epoch: 1, ...proof });
    expect(recognise(placed)).toMatchObject({ place: { facilityId: 7n, epoch: 1 } });
    expect(recognise(JSON.stringify(json))).toEqual({ type: "line", line, place: null });
  });

  it("knows a row with and without header, and with foreign line ends", () => {
    const row = rows[3] ?? "";
    for (const text of [
      row,
      `${row}\n`,
      `${LINES_HEADER}\n${row}`,
      `${LINES_HEADER}\r\n${row}\r\n`,
    ]) {
      expect(recognise(text)).toEqual({ type: "line", line: lines[3], place: null });
    }
  });

  it("knows every file of evidence", () => {
    const place = { facilityId: 7n, epoch: 1 };
    expect(recognise(epoch.files["statement.json"])).toEqual({ type: "statement", place });
    expect(recognise(epoch.files["manifest.json"])).toEqual({ type: "manifest", place });
    expect(recognise(EVIDENCE.facility.text)).toEqual({ type: "facility", facilityId: 7n });
    expect(recognise(epoch.files["lines.csv"])).toEqual({
      type: "file",
      name: "lines.csv",
      firstLine: lines[0],
    });
    const texts = {
      "batches.jsonl": epoch.files["batches.jsonl"],
      "facts.jsonl": epoch.files["facts.jsonl"],
      // Leases are agreed before the first statement.
      "terms.jsonl": golden(0).files["terms.jsonl"],
      "credits.csv": epoch.files["credits.csv"],
    };
    for (const [name, text] of Object.entries(texts)) {
      expect(recognise(text ?? "")).toEqual({ type: "file", name, firstLine: null });
    }
    expect(recognise('[{"attester": "0x1", "signature": "0x2"}]')).toEqual({
      type: "attestations",
    });
  });

  it("says what is wrong with anything else", () => {
    expect(() => recognise("  ")).toThrow("nothing");
    expect(() => recognise("hello")).toThrow("not a line");
    expect(() => recognise("a,b\nc,d\ne,f")).toThrow("header");
    expect(() => recognise('{"a": 1}')).toThrow("no proof");
    expect(() => recognise("{")).toThrow();
    expect(() => recognise(JSON.stringify({ line: {}, proof: [] }))).toThrow("kind");
    const bad = { line: Object.fromEntries(fieldsOf(lines[0] ?? never())), proof: ["0x12"] };
    expect(() => recognise(JSON.stringify(bad))).toThrow("node");
  });

  it("keeps amounts beyond 53 bits", () => {
    const json = JSON.stringify(Object.fromEntries(fieldsOf(lines[0] ?? never())));
    const big = json.replace(
      /"charge_micros":"[^"]*"/,
      '"charge_micros":-170141183460469231731687303715884105728',
    );
    expect(recognise(big)).toMatchObject({ line: { chargeMicros: -(2n ** 127n) } });
  });
});

describe("lineFromJson", () => {
  it("reads what fieldsOf writes", () => {
    for (const line of lines)
      expect(lineFromJson(Object.fromEntries(fieldsOf(line)))).toEqual(line);
    expect(statementIn(epoch).lineCount).toBe(lines.length);
  });
});

function never(): never {
  throw new Error("no line");
}
