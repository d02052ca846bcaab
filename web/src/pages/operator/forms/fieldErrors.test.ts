import { describe, expect, it } from "vitest";
import { ApiProblem } from "../../../api/client";
import { fieldErrors } from "./fieldErrors";

const FIELDS = ["name", "window_end", "devices", "tranches", "tranches.0.unit_cap"];
const problem = (field: string | null, errors: { field: string; error: string }[] = []) =>
  new ApiProblem(422, "invalid_input", "something is wrong", field, errors);

describe("fieldErrors", () => {
  it("puts a problem at its field, also under the name that the rules use", () => {
    expect(fieldErrors(problem("name"), FIELDS)).toEqual({ name: "Something is wrong." });
    expect(fieldErrors(problem("window_end_s"), FIELDS)).toHaveProperty("window_end");
  });

  it("shows every field that the service listed", () => {
    const listed = [
      { field: "tranches.0.unit_cap", error: "Input should be greater than 0" },
      { field: "devices.7", error: "not an NVML UUID" },
    ];

    expect(fieldErrors(problem("tranches.0.unit_cap", listed), FIELDS)).toEqual({
      "tranches.0.unit_cap": "Input should be greater than 0.",
      devices: "Not an NVML UUID.",
    });
  });

  it("keeps what belongs to no field for the head of the form", () => {
    expect(fieldErrors(problem(null), FIELDS)).toEqual({ "": "Something is wrong." });
    expect(fieldErrors(problem("settlement_token"), FIELDS)).toEqual({
      "": "Something is wrong.",
    });
    expect(fieldErrors(new TypeError("fetch failed"), FIELDS)[""]).toContain("cannot be reached");
    expect(fieldErrors(null, FIELDS)).toEqual({});
  });
});
