/** The service's OpenAPI document, as much as the page reads of it, and its operations by tag. */

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
  security?: Record<string, string[]>[];
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

/** Who may call, in a sentence: with which scope of a key, or by a session. */
export function securityText(security: RawOperation["security"]): string {
  if (security === undefined) return "No key needed.";
  const key = security.find((way) => "HTTPBearer" in way)?.["HTTPBearer"];
  if (key === undefined) return "Needs a session.";
  const session = security.some((way) => "APIKeyCookie" in way) ? ", or a session" : "";
  return `Needs an API key with the scope ${key.join(", ")}${session}.`;
}

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
