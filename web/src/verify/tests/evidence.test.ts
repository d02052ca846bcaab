import { describe, expect, it } from "vitest";
import { hexOf } from "../bytes";
import {
  COMMITTED_FILES,
  parseAttestations,
  parseFacility,
  parseManifest,
  pathOf,
  sha256,
} from "../evidence";
import { parseJson } from "../json";
import { pledgeRoot } from "../pledge";
import { parseStatement, statementHash } from "../statement";
import { EVIDENCE, golden, goldenPledgeRoot, statementIn } from "./vectors";

const bytes = (text: string) => new TextEncoder().encode(text);

describe("manifest", () => {
  it("has the statement's evidence hash, and the files have the manifest's", async () => {
    for (const epoch of EVIDENCE.epochs) {
      expect(await sha256(bytes(epoch.files["manifest.json"]))).toBe(
        statementIn(epoch).evidenceHash,
      );
      const manifest = parseManifest(epoch.files["manifest.json"]);
      expect(manifest.files.map((f) => f.name)).toEqual([...COMMITTED_FILES]);
      for (const file of manifest.files) {
        const text =
          file.name === "facility.json" ? EVIDENCE.facility.text : (epoch.files[file.name] ?? "");
        expect(await sha256(bytes(text))).toBe(file.sha256);
        expect(bytes(text)).toHaveLength(file.bytes);
      }
    }
  });

  it("gives another hash for one changed byte", async () => {
    const text = golden(0).files["manifest.json"].replace('"epoch": 0', '"epoch": 1');
    expect(await sha256(bytes(text))).not.toBe(statementIn(golden(0)).evidenceHash);
  });

  it("is the same without WebCrypto", async () => {
    const kept = Object.getOwnPropertyDescriptor(globalThis, "crypto");
    const withIt = await sha256(bytes("abc"));
    Object.defineProperty(globalThis, "crypto", { value: undefined, configurable: true });
    try {
      expect(await sha256(bytes("abc"))).toBe(withIt);
    } finally {
      if (kept !== undefined) Object.defineProperty(globalThis, "crypto", kept);
    }
    expect(withIt).toBe("0xba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  });

  it("is refused in another format", () => {
    expect(() => parseManifest("{}")).toThrow("format");
    expect(() => parseManifest('{"format":"rentroll-evidence-2"}')).toThrow("another format");
    expect(() => parseManifest("[]")).toThrow("object");
    const nameless =
      '{"format":"rentroll-evidence-5","facility_id":1,"epoch":0,"files":[{"bytes":1}]}';
    expect(() => parseManifest(nameless)).toThrow("no name");
  });
});

describe("facility.json", () => {
  it("has the terms hash, and its devices the pledge root", async () => {
    const { text, terms_hash } = EVIDENCE.facility;
    expect(await sha256(bytes(text))).toBe(terms_hash);
    const { facilityId, devices } = parseFacility(text);
    expect(hexOf(pledgeRoot(facilityId, devices))).toBe(goldenPledgeRoot());
    expect(hexOf(pledgeRoot(facilityId, [...devices].reverse()))).not.toBe(goldenPledgeRoot());
  });

  it("names the card of each slice, and of a whole card itself", () => {
    const { text } = EVIDENCE.facility;
    const { devices, cards } = parseFacility(text);
    const card = hexOf(new Uint8Array(32).fill(7));
    const slices = devices.map((device) => ({ device, card, profile: "1g.10gb" }));
    const whole = JSON.parse(text) as object;

    const found = parseFacility(JSON.stringify({ ...whole, devices: slices }));

    expect(cards).toEqual(devices);
    expect(found.devices).toEqual(devices);
    expect(found.cards).toEqual(devices.map(() => card));
    expect(() => parseFacility(JSON.stringify({ ...whole, devices: [{}] }))).toThrow("device");
    expect(() => parseFacility(JSON.stringify({ ...whole, devices: [7] }))).toThrow("slice");
  });
});

describe("statement.json", () => {
  it("is read with the hash that it says it has", () => {
    for (const epoch of EVIDENCE.epochs) {
      const { statement, saidHash } = parseStatement(epoch.files["statement.json"]);
      expect(saidHash).toBe(epoch.statement_hash);
      expect(statementHash(statement)).toBe(saidHash);
    }
  });

  it("has another hash when any field is changed", () => {
    const statement = statementIn(golden(1));
    const hashes = Object.entries(statement).map(([name, value]) => {
      const other =
        typeof value === "string"
          ? `0x${"12".repeat(32)}`
          : typeof value === "bigint"
            ? value + 1n
            : Number(value) + 1;
      return statementHash({ ...statement, [name]: other });
    });
    expect(new Set([...hashes, statementHash(statement)]).size).toBe(hashes.length + 1);
    expect(hashes).toHaveLength(14);
  });

  it("names the field that is missing or of another type", () => {
    const text = golden(0).files["statement.json"];
    expect(() => parseStatement(text.replace("line_count", "lines"))).toThrow("line_count");
    expect(() => parseStatement(text.replace(/"usage_root": "0x../, '"usage_root": "0x'))).toThrow(
      "usage_root",
    );
    expect(() => parseStatement(text.replace(/"epoch": \d+/, '"epoch": 4294967296'))).toThrow(
      "epoch",
    );
    expect(() => parseStatement("nothing")).toThrow(SyntaxError);
  });

  it("takes gross revenue and adjustment below zero, and no available seconds below zero", () => {
    const below = (name: string) =>
      golden(0).files["statement.json"].replace(new RegExp(`"${name}": -?\\d+`), `"${name}": -5`);

    expect(parseStatement(below("gross_revenue_micros")).statement.grossRevenue).toBe(-5n);
    expect(parseStatement(below("available_adjustment")).statement.availableAdjustment).toBe(-5n);
    expect(() => parseStatement(below("available_gpu_seconds"))).toThrow("available_gpu_seconds");
  });

  it("keeps every digit of amounts beyond 53 bits", () => {
    const text = golden(0).files["statement.json"].replace(
      /"gross_revenue_micros": \d+/,
      '"gross_revenue_micros": 170141183460469231731687303715884105727',
    );
    expect(parseStatement(text).statement.grossRevenue).toBe(2n ** 127n - 1n);
  });
});

describe("parseJson", () => {
  it("leaves texts and other numbers alone", () => {
    const text =
      '{"a": "12345678901234567890 \\" 1", "b": 1.5e3, "c": -7, "d": [12345678901234567890]}';
    expect(parseJson(text)).toEqual({
      a: '12345678901234567890 " 1',
      b: 1500,
      c: -7,
      d: ["12345678901234567890"],
    });
  });
});

describe("paths and attestations", () => {
  it("are as the service publishes them", () => {
    expect(pathOf(3n, 7, "lines.csv")).toBe("facility-3/epoch-00007/lines.csv");
    expect(pathOf("3", 7, "facility.json")).toBe("facility-3/facility.json");
    const row = { attester: `0x${"1a".repeat(20)}`, signature: `0x${"00".repeat(65)}` };
    expect(parseAttestations(JSON.stringify([row]))).toEqual([row]);
    expect(() => parseAttestations('[{"attester": "me"}]')).toThrow("no address");
    expect(() => parseAttestations("{}")).toThrow("not a list");
  });
});
