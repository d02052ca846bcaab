import { describe, expect, it } from "vitest";
import type { Replacement } from "../queries";
import { replacementBody, waitsText } from "./replacementForm";

const OLD = "GPU-0f8e7d6c-5b4a-4938-a726-150493827160";
const NEW = "GPU-2d1b3c74-5e3f-4071-8cad-9eaf0b1c2d3e";
const SLICE = "MIG-3d1b3c74-5e3f-4071-8cad-9eaf0b1c2d3e";
const FIELDS = { old: ` ${OLD} `, come: NEW, reason: " RMA 17 ", fromEpoch: "" };

describe("replacementBody", () => {
  it("names a whole card, and no epoch unless one is typed", () => {
    const body = { old: OLD, new: NEW, reason: "RMA 17", from_epoch: null };
    expect(replacementBody(FIELDS)).toEqual({ body, errors: null });
    expect(replacementBody({ ...FIELDS, fromEpoch: "1,200" }).body?.from_epoch).toBe(1_200);
  });

  it("names a slice with its card and profile", () => {
    const { body } = replacementBody({ ...FIELDS, come: `${SLICE}, ${NEW}, 1g.10gb` });
    expect(body?.new).toEqual({ device: SLICE, card: NEW, profile: "1g.10gb" });
  });

  it("says what is wrong at each field", () => {
    expect(
      replacementBody({ old: "gpu0", come: "", reason: "", fromEpoch: "next" }).errors,
    ).toEqual({
      old: expect.stringMatching(/^Write GPU-<uuid>/) as string,
      new: "Name the device that comes.",
      reason: "1 to 120 characters.",
      from_epoch: "The number of an epoch.",
    });
    expect(replacementBody({ ...FIELDS, come: `${NEW}\n${OLD}` }).errors?.["new"]).toBe(
      "One device at a time.",
    );
    expect(replacementBody({ ...FIELDS, come: SLICE }).errors?.["new"]).toContain("profile");
  });
});

describe("waitsText", () => {
  it("says who is next", () => {
    const waiting = { signatures: 1, threshold: 2, transaction: null } as Replacement;
    expect(waitsText(waiting)).toContain("1 of 2 signed");
    const transaction = { to: "0x", data: "0x" };
    expect(waitsText({ ...waiting, signatures: 2, transaction })).toContain("Send it before");
    expect(waitsText({ ...waiting, signatures: 2 })).toContain("it lapses");
    expect(waitsText({ ...waiting, signatures: null })).toContain("No node");
  });
});
