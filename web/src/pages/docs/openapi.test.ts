import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { curlOf } from "./curl";
import { fieldsOf, typeOf } from "./fields";
import { type OpenApi, matches, operationsOf, securityText } from "./openapi";

const api = JSON.parse(readFileSync("../docs/openapi.json", "utf8")) as OpenApi;
const operations = operationsOf(api);
const named = (id: string) => {
  const found = operations.find((operation) => operation.operationId === id);
  if (found === undefined) throw new Error(`no operation ${id}`);
  return found;
};

describe("reference", () => {
  it("has every operation once, what needs no key first", () => {
    const count = Object.values(api.paths).reduce(
      (sum, methods) => sum + Object.keys(methods).length,
      0,
    );
    expect(operations).toHaveLength(count);
    expect(new Set(operations.map((o) => o.operationId)).size).toBe(count);
    expect(operations[0]?.tag).toBe("public");
  });

  it("says who may call each", () => {
    const said = (id: string) => securityText(named(id).security);
    expect(said("list_facilities")).toBe("No key needed.");
    expect(said("get_session")).toBe("Needs a session.");
    expect(said("post_events")).toBe("Needs an API key with the scope events:write, or a session.");
    expect(said("create_operator")).toBe("Needs an API key with the scope operators:write.");
  });

  it("unfolds the fields of answers with their meaning", () => {
    const schema =
      named("get_proof").responses?.["200"]?.content?.["application/json"]?.schema ?? {};
    const fields = fieldsOf(api, schema);
    expect(fields.map((f) => f.name)).toEqual(
      expect.arrayContaining(["facility_id", "line", "line.subject", "proof"]),
    );
    expect(fields.every((f) => f.description !== "")).toBe(true);
    expect(typeOf(api, schema)).toBe("ProofOut");
  });

  it("names types of lists and of what can be missing", () => {
    expect(typeOf(api, { anyOf: [{ type: "integer" }, { type: "null" }] })).toBe("integer or null");
    expect(typeOf(api, { type: "array", items: { type: "string" } })).toBe("list of text");
  });

  it("does not unfold an object that holds itself for ever", () => {
    const loop = structuredClone(api);
    loop.components.schemas["Node"] = {
      properties: { next: { $ref: "#/components/schemas/Node" } },
    };
    expect(fieldsOf(loop, { $ref: "#/components/schemas/Node" }).map((f) => f.name)).toEqual([
      "next",
    ]);
  });

  it("finds operations by every word of a search", () => {
    expect(operations.filter((o) => matches(o, "merkle proof")).map((o) => o.operationId)).toEqual(
      [],
    );
    expect(operations.filter((o) => matches(o, "line proof")).map((o) => o.operationId)).toContain(
      "get_proof",
    );
    expect(operations.every((o) => matches(o, ""))).toBe(true);
  });

  it("makes a curl call with key and body where they are needed", () => {
    expect(curlOf(api, named("get_proof"), "http://x")).toBe(
      "curl 'http://x/v1/facilities/<facility_id>/epochs/<epoch>/lines/<index>/proof'",
    );
    const post = curlOf(api, named("post_events"), "http://x");
    expect(post).toContain("-X POST");
    expect(post).toContain("Authorization: Bearer");
    expect(post).toContain("application/cloudevents+json");
  });
});
