/** An example call of an operation. */

import { type OpenApi, type Operation, resolved } from "./openapi";

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
