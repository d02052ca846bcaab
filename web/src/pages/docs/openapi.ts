/** The service's OpenAPI document as what a reader needs: operations by tag, fields by name, an example call. */

export interface Schema {
  $ref?: string;
  type?: string;
  description?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  anyOf?: Schema[];
  oneOf?: Schema[];
  additionalProperties?: boolean | Schema;
  enum?: unknown[];
  const?: unknown;
  format?: string;
  pattern?: string;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  default?: unknown;
  examples?: unknown[];
}

interface Media {
  schema?: Schema;
  example?: unknown;
  examples?: Record<string, { summary?: string; value?: unknown }>;
}

export interface Parameter {
  name: string;
  in: string;
  required?: boolean;
  description?: string;
  schema?: Schema;
}

interface RawOperation {
  operationId: string;
  summary?: string;
  description?: string;
  tags?: string[];
  parameters?: Parameter[];
  requestBody?: { content?: Record<string, Media> };
  responses?: Record<string, { description?: string; content?: Record<string, Media> }>;
  security?: Record<string, unknown>[];
}

export interface OpenApi {
  info: { title: string; version: string; description?: string };
  tags?: { name: string; description?: string }[];
  paths: Record<string, Record<string, RawOperation>>;
  components: {
    schemas: Record<string, Schema>;
    securitySchemes?: Record<string, { description?: string }>;
  };
}

export interface Operation extends RawOperation {
  method: string;
  path: string;
  tag: string;
}

const METHODS = new Set(["get", "post", "put", "patch", "delete"]);

/** Every operation, in the order of tags and then of the document. */
export function operationsOf(api: OpenApi): Operation[] {
  const found = Object.entries(api.paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([method]) => METHODS.has(method))
      .map(([method, raw]) => ({
        ...raw,
        path,
        method: method.toUpperCase(),
        tag: raw.tags?.[0] ?? "other",
      })),
  );
  const order = tagsOf(api);
  return found.sort((a, b) => order.indexOf(a.tag) - order.indexOf(b.tag));
}

/** Tags; what needs no key comes first. */
export function tagsOf(api: OpenApi): string[] {
  const named = (api.tags ?? []).map((tag) => tag.name);
  return ["public", ...named.filter((name) => name !== "public"), "other"];
}

/** Whether every word of a search is in an operation's names and texts. */
export function matches(operation: Operation, search: string): boolean {
  const { operationId, path, method, summary, description, tag, parameters } = operation;
  const names = (parameters ?? []).map((p) => p.name);
  const text = [operationId, path, method, summary, description, tag, ...names]
    .join(" ")
    .toLowerCase();
  return search
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

/** A schema with its references followed, and the name of the last one. */
export function resolved(api: OpenApi, schema: Schema): { schema: Schema; name: string | null } {
  let name: string | null = null;
  let found = schema;
  for (let i = 0; found.$ref !== undefined && i < 10; i++) {
    name = found.$ref.split("/").pop() ?? "";
    found = api.components.schemas[name] ?? {};
  }
  return { schema: found, name };
}

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

/** Example body of an operation, if its document has one. */
export function exampleBody(
  api: OpenApi,
  operation: Operation,
): { media: string; value: unknown } | null {
  for (const [media, { schema, example, examples }] of Object.entries(
    operation.requestBody?.content ?? {},
  )) {
    const named = Object.values(examples ?? {})[0]?.value;
    const value = example ?? named ?? (schema && resolved(api, schema).schema.examples?.[0]);
    return { media, value: value ?? {} };
  }
  return null;
}

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** A call with curl that can be pasted into a shell. */
export function curlOf(api: OpenApi, operation: Operation, origin: string): string {
  const path = operation.path.replaceAll(/\{(\w+)(?::path)?\}/g, (_, name: string) => `<${name}>`);
  const parts = ["curl"];
  if (operation.method !== "GET") parts.push(`-X ${operation.method}`);
  parts.push(quoted(origin + path));
  if (operation.security?.some((s) => "HTTPBearer" in s)) {
    parts.push(`\\\n  -H ${quoted("Authorization: Bearer <API key>")}`);
  }
  const body = exampleBody(api, operation);
  if (body !== null) {
    parts.push(`\\\n  -H ${quoted(`Content-Type: ${body.media}`)}`);
    parts.push(`\\\n  -d ${quoted(JSON.stringify(body.value, null, 2))}`);
  }
  return parts.join(" ");
}
