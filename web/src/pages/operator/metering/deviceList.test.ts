import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { deviceListError, parseDevices } from "./deviceList";
import { PROFILE, nameFault } from "./deviceName";

const A = "GPU-0b9f1a52-3c1d-4e5f-8a6b-7c8d9e0f1a2b";
const B = "GPU-1c0a2b63-4d2e-4f60-9b7c-8d9e0f1a2b3c";
const AMD = "AMD-afff74a1-0000-1000-8054-e92b0a5d57c8";
const MIG = "MIG-c7384736-a75d-5afc-978f-d2f1294409fd";
const MIG2 = "MIG-a28ad590-3fda-56dd-84fc-0a0b96edc58d";
const slice = (device: string, card = A, profile = "1g.10gb") => ({ device, card, profile });

interface Vectors {
  accepted: string[];
  refused: [name: string, advice: string][];
  most_slices: [profile: string, ...rest: unknown[]][];
  refused_profiles: [profile: string, advice: string][];
}

const VECTORS = JSON.parse(
  readFileSync(resolve("../tests/vectors/devices.json"), "utf8"),
) as Vectors;

describe("nameFault", () => {
  it.each(VECTORS.accepted)("takes %s, as the service does", (name) => {
    expect(nameFault(name)).toBeNull();
  });

  it.each(VECTORS.refused)("says of %j what to write, as the service does", (name, advice) => {
    expect(nameFault(name)?.replaceAll("`", "")).toContain(advice);
  });

  it("knows the profiles that the service knows", () => {
    for (const [profile] of VECTORS.most_slices) expect(profile).toMatch(PROFILE);
    for (const [profile] of VECTORS.refused_profiles) expect(profile).not.toMatch(PROFILE);
  });
});

describe("parseDevices", () => {
  it("takes one card a line, whatever the line ends with", () => {
    expect(parseDevices(`${A}\r\n\n  ${B},\r${AMD}\n`)).toEqual({
      devices: [A, B, AMD],
      profile: null,
      problems: [],
    });
  });

  it("takes slices with card and profile", () => {
    expect(parseDevices(`${MIG},${A},1g.10gb\n ${MIG2} , ${B} , 1g.10gb;\n`)).toEqual({
      devices: [slice(MIG), slice(MIG2, B)],
      profile: "1g.10gb",
      problems: [],
    });
  });

  it("takes the output of nvidia-smi -L", () => {
    const cards = [A, B].map((uuid, i) => `GPU ${i}: NVIDIA H100 80GB HBM3 (UUID: ${uuid})`);

    expect(parseDevices(cards.join("\n")).devices).toEqual([A, B]);
  });

  it("takes slices of nvidia-smi -L with the card above them, which is no device then", () => {
    const text = [
      `GPU 0: NVIDIA H100 80GB HBM3 (UUID: ${A})`,
      `  MIG 1g.10gb     Device  0: (UUID: ${MIG})`,
      `  MIG 1g.10gb     Device  1: (UUID: ${MIG2})`,
    ].join("\n");

    expect(parseDevices(text)).toEqual({
      devices: [slice(MIG), slice(MIG2)],
      profile: "1g.10gb",
      problems: [],
    });
    const [, ...alone] = text.split("\n");
    expect(parseDevices(alone.join("\n")).problems[0]?.line).toBe(1);
    // A card without slices beside one that has some.
    const mixed = parseDevices(`${text}\nGPU 1: NVIDIA H100 80GB HBM3 (UUID: ${B})`);
    expect(mixed.problems.map((p) => [p.line, p.text])).toEqual([[4, B]]);
  });

  it.each([
    [`${A}\n${MIG},${B},1g.10gb`, "whole cards, or slices of one profile"],
    [`${MIG},${A},1g.10gb\n${B}`, "whole cards, or slices of one profile"],
    [`${MIG},${A},1g.10gb\n${MIG2},${A},2g.20gb`, "slices of one profile"],
    [`${MIG},${A},1g.10gb\n${MIG},${B},1g.10gb`, "the same as line 1"],
    [MIG, "name a slice with its card and profile"],
    [`${MIG},${A}`, "the profile"],
    [`${MIG},${A},CPX`, "the profile"],
    [`${MIG},${A}/0,1g.10gb`, `write ${A}`],
    [`${MIG},${MIG2},1g.10gb`, "its card GPU-…"],
    [`${A},${B},1g.10gb`, "a slice is MIG-…"],
    [`${AMD},${AMD},CPX`, "a slice is MIG-…"],
    [`MIG-${A.slice(4)},${A},1g.10gb`, "not its own"],
    [`${MIG},${A},1g.10gb,x`, "write GPU-<uuid>"],
    [`MIG-${A}/1/0`, "write MIG-<uuid>"],
  ])("says of %j what is wrong", (text, why) => {
    const { problems } = parseDevices(text);

    expect(problems).toHaveLength(1);
    expect(problems[0]?.why).toContain(why);
  });

  it("names line and reason of what is no name", () => {
    const { devices, problems } = parseDevices(`${A}\nGPU-123\n<b>x</b>`);

    expect(devices).toEqual([A]);
    expect(problems.map((p) => [p.line, p.text])).toEqual([
      [2, "GPU-123"],
      [3, "<b>x</b>"],
    ]);
  });

  it("refuses capitals with the form to use: another spelling would be another device", () => {
    expect(parseDevices(A.toUpperCase()).problems[0]?.why).toBe(`write ${A}`);
  });

  it("names a device that stands twice with the line it stood on first", () => {
    const list = parseDevices(`${A}\n${B}\n${A}`);

    expect(list.devices).toEqual([A, B]);
    expect(list.problems).toEqual([{ line: 3, text: A, why: "the same as line 1" }]);
  });
});

describe("deviceListError", () => {
  it("is null for a list that can be pledged", () => {
    expect(deviceListError(parseDevices(A))).toBeNull();
  });

  it("asks for a device where there is none", () => {
    expect(deviceListError(parseDevices("\n \n"))).toBe("Name at least one device.");
  });

  it("counts what else is wrong", () => {
    expect(deviceListError(parseDevices("x\ny\nz"))).toContain("2 more lines are wrong.");
  });
});
