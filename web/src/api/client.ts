/** The API, typed by its own OpenAPI document, and its problems as errors. */

import createClient, { type Middleware } from "openapi-fetch";
import type { components, paths } from "../generated/openapi";

export type Schemas = components["schemas"];

/** A problem that the service named (RFC 9457). */
export class ApiProblem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
    readonly field: string | null,
    /** Every field that is wrong, where the service named more than the first. */
    readonly errors: readonly { field: string; error: string }[] = [],
    /** Which of a code's causes it was, where the service tells them apart. */
    readonly reason: string | null = null,
  ) {
    super(detail);
    this.name = "ApiProblem";
  }
}

/** Kept in memory alone: a page of another origin cannot read it, and so cannot act with our cookie. */
let csrfToken: string | null = null;

/** Remembers the token of the session, or forgets it. */
export function setCsrfToken(token: string | null): void {
  csrfToken = token;
}

const UNSAFE = new Set(["POST", "PUT", "PATCH", "DELETE"]);

const csrf: Middleware = {
  onRequest({ request }) {
    if (csrfToken !== null && UNSAFE.has(request.method)) {
      request.headers.set("X-CSRF-Token", csrfToken);
    }
    return request;
  },
};

export const api = createClient<paths>({ baseUrl: "/" });
api.use(csrf);

function textOf(value: unknown, fallback: string): string {
  return typeof value === "string" ? value : fallback;
}

/** The error of an answer. */
function problemOf(status: number, body: unknown): ApiProblem {
  const found = (typeof body === "object" && body !== null ? body : {}) as Record<string, unknown>;
  const detail = textOf(found["detail"], `The service answered ${status}.`);
  const field = typeof found["field"] === "string" ? found["field"] : null;
  const listed: unknown[] = Array.isArray(found["errors"]) ? found["errors"] : [];
  const errors = listed.map((entry) => {
    const { field: name, error } = entry as Record<string, unknown>;
    return { field: textOf(name, ""), error: textOf(error, "") };
  });
  const reason = typeof found["reason"] === "string" ? found["reason"] : null;
  return new ApiProblem(status, textOf(found["code"], "http"), detail, field, errors, reason);
}

/** The data of an answer of `api`. Raises ApiProblem. */
export async function dataOf<T>(
  pending: Promise<{ data?: T; error?: unknown; response: Response }>,
): Promise<T> {
  const { data, error, response } = await pending;
  if (!response.ok) throw problemOf(response.status, error);
  return data as T;
}
