import { describe, expect, it } from "vitest";
import { deviceListError, parseDevices } from "./deviceList";

const A = "GPU-0b9f1a52-3c1d-4e5f-8a6b-7c8d9e0f1a2b";
const B = "GPU-1c0a2b63-4d2e-4f60-9b7c-8d9e0f1a2b3c";
const MIG = "MIG-GPU-0b9f1a52-3c1d-4e5f-8a6b-7c8d9e0f1a2b/3/0";

describe("parseDevices", () => {
  it("takes one UUID a line, whatever the line ends with", () => {
    expect(parseDevices(`${A}\r\n\n  ${B},\r${MIG}\n`)).toEqual({
      devices: [A, B, MIG],
      problems: [],
    });
  });

  it("takes the output of nvidia-smi -L", () => {
    const text = `GPU 0: NVIDIA H100 80GB HBM3 (UUID: ${A})\n  MIG 1g.10gb Device 0: (UUID: MIG-${B.slice(4)})`;

    expect(parseDevices(text).devices).toEqual([A, `MIG-${B.slice(4)}`]);
  });

  it("names line and reason of what is no UUID", () => {
    const { devices, problems } = parseDevices(`${A}\nGPU-123\n<b>x</b>`);

    expect(devices).toEqual([A]);
    expect(problems.map((p) => [p.line, p.text])).toEqual([
      [2, "GPU-123"],
      [3, "<b>x</b>"],
    ]);
  });

  it("refuses capitals: another spelling would be another device", () => {
    expect(parseDevices(A.toUpperCase()).problems[0]?.why).toContain("lower case");
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
