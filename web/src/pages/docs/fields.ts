/** Schemas as fields: names, types and bounds in words. */

import { type OpenApi, type Operation, type Schema, resolved } from "./openapi";

/** Type of a value in words, such as `list of LineOut` or `integer or null`. */
export function typeOf(api: OpenApi, schema: Schema): string {
  const { schema: found, name } = resolved(api, schema);
  const either = found.anyOf ?? found.oneOf;
  if (either !== undefined) return [...new Set(either.map((s) => typeOf(api, s)))].join(" or ");
  if (found.enum !== undefined) return found.enum.map((v) => JSON.stringify(v)).join(" or ");
  if (found.const !== undefined) return JSON.stringify(found.const);
  if (found.type === "array") return `list of ${typeOf(api, found.items ?? {})}`;
  if (found.type === "object" || found.properties !== undefined) {
    if (name !== null) return name;
    const values = found.additionalProperties;
    return typeof values === "object" ? `map of text to ${typeOf(api, values)}` : "object";
  }
  return found.type === "string" ? "text" : (found.type ?? "any JSON");
}

/** Bounds of a value in words; empty if there are none. */
export function boundsOf(schema: Schema): string {
  const parts: string[] = [];
  const least =
    schema.minimum ??
    (schema.exclusiveMinimum !== undefined ? `above ${schema.exclusiveMinimum}` : null);
  const most =
    schema.maximum ??
    (schema.exclusiveMaximum !== undefined ? `below ${schema.exclusiveMaximum}` : null);
  if (least !== null) parts.push(typeof least === "number" ? `at least ${least}` : least);
  if (most !== null) parts.push(typeof most === "number" ? `at most ${most}` : most);
  if (schema.minLength !== undefined) parts.push(`${schema.minLength} characters or more`);
  if (schema.maxLength !== undefined) parts.push(`up to ${schema.maxLength} characters`);
  if (schema.minItems !== undefined) parts.push(`${schema.minItems} entries or more`);
  if (schema.maxItems !== undefined) parts.push(`up to ${schema.maxItems} entries`);
  if (schema.pattern !== undefined) parts.push(`pattern ${schema.pattern}`);
  if (schema.default !== undefined && schema.default !== null)
    parts.push(`default ${JSON.stringify(schema.default)}`);
  return parts.join(", ");
}

export interface Field {
  /** Name with those of the objects around it, such as `lines[].device`. */
  name: string;
  depth: number;
  type: string;
  required: boolean;
  description: string;
  bounds: string;
}

/** The object inside a schema: through lists and `or null`. */
function objectIn(
  api: OpenApi,
  schema: Schema,
): { schema: Schema; name: string | null; list: boolean } | null {
  const { schema: found, name } = resolved(api, schema);
  if (found.properties !== undefined) return { schema: found, name, list: false };
  if (found.type === "array" && found.items !== undefined) {
    const inner = objectIn(api, found.items);
    return inner === null ? null : { ...inner, list: true };
  }
  for (const option of found.anyOf ?? found.oneOf ?? []) {
    const inner = objectIn(api, option);
    if (inner !== null) return inner;
  }
  return null;
}

/** Fields of a schema, objects inside it unfolded; one that holds itself is not unfolded again. */
export function fieldsOf(
  api: OpenApi,
  schema: Schema,
  prefix = "",
  seen: readonly string[] = [],
): Field[] {
  const object = objectIn(api, schema);
  if (object === null || seen.length > 5 || (object.name !== null && seen.includes(object.name)))
    return [];
  const required = new Set(object.schema.required ?? []);
  const here = object.list && prefix === "" ? "[]." : prefix;
  return Object.entries(object.schema.properties ?? {}).flatMap(([key, value]) => {
    const target = resolved(api, value).schema;
    const field: Field = {
      name: `${here}${key}`,
      depth: seen.length,
      type: typeOf(api, value),
      required: required.has(key),
      description: value.description ?? target.description ?? "",
      bounds: boundsOf({ ...target, ...value }),
    };
    const inner = objectIn(api, value);
    const path = `${here}${key}${inner?.list === true ? "[]" : ""}.`;
    return [field, ...fieldsOf(api, value, path, [...seen, object.name ?? ""])];
  });
}

/** Parameters of an operation, as fields. */
export function parametersOf(api: OpenApi, operation: Operation): Field[] {
  return (operation.parameters ?? []).map((p) => ({
    name: p.name,
    depth: 0,
    type: `${typeOf(api, p.schema ?? {})}, ${p.in}`,
    required: p.required === true,
    description: p.description ?? p.schema?.description ?? "",
    bounds: boundsOf(p.schema ?? {}),
  }));
}
