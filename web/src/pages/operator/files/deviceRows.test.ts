import { describe, expect, it } from "vitest";
import { parseDevices } from "../metering/deviceList";
import { deviceLines } from "./deviceRows";

const CARD = "GPU-0b9f1a52-3c1d-4e5f-8a6b-7c8d9e0f1a2b";
const SLICE = "MIG-c7384736-a75d-5afc-978f-d2f1294409fd";

describe("devices of a file", () => {
  it("are lines that the offer's list reads as the same devices", () => {
    const whole = { device: CARD, card: CARD, profile: null };
    const slice = { device: SLICE, card: CARD, profile: "1g.10gb" };

    expect(parseDevices(deviceLines({ devices: [whole], refused: [] })).devices).toEqual([CARD]);
    expect(parseDevices(deviceLines({ devices: [slice], refused: [] })).devices).toEqual([slice]);
  });
});
