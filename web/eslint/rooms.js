/** Which room of src/ may import which: imports point one way. A room is a folder of src/; each page is one. */

import path from "node:path";

const BELOW_PAGES = ["parts", "chain", "verify", "api", "format", "generated"];

/** What a room may import besides itself. */
export const ROOMS = {
  main: ["app"],
  app: ["pages", ...BELOW_PAGES],
  pages: BELOW_PAGES,
  parts: ["chain", "verify", "api", "format", "generated"],
  chain: ["api", "format", "generated"],
  // Whoever audits reads and runs it alone: it leans on nothing of the pages, the service or a wallet.
  verify: ["format", "generated"],
  // What the npm package exports, of rooms that need no page.
  npm: ["chain", "verify", "generated"],
  api: ["format", "generated"],
  format: [],
  generated: [],
};

/** Rooms that are pure: no React, and nothing that is built on it. */
const PURE = new Set(["verify", "format"]);
const REACT = /^(react|react-dom|react-router|wagmi|@wagmi|@mantine|@tanstack)(\/|$)/;

/** Room and, below pages/, page of a path within src/. */
function placeOf(inside) {
  const [first, second, third] = inside.split(path.sep);
  if (second === undefined) return { room: first.replace(/\.\w+$/, ""), page: null };
  return { room: first, page: first === "pages" && third !== undefined ? second : null };
}

/** Why `file` may not import `source`, or null; both paths are within `src`. */
function objection(src, file, source) {
  const from = placeOf(path.relative(src, file));
  if (!source.startsWith(".")) {
    return PURE.has(from.room) && REACT.test(source)
      ? `${from.room} is pure: it imports no React.`
      : null;
  }
  const to = placeOf(path.relative(src, path.resolve(path.dirname(file), source)));
  if (to.room === from.room) {
    return to.page === from.page
      ? null
      : `the page ${from.page} imports no other page: what both need belongs below pages/.`;
  }
  return ROOMS[from.room]?.includes(to.room)
    ? null
    : `${from.room} may not import ${to.room}: imports point one way.`;
}

const oneWay = {
  meta: { type: "problem", schema: [], messages: { wrong: "{{ why }}" } },
  create(context) {
    const src = path.join(context.cwd, "src");
    const check = (node, source) => {
      if (typeof source?.value !== "string") return;
      const why = objection(src, context.filename, source.value);
      if (why !== null) context.report({ node: source, messageId: "wrong", data: { why } });
    };
    const declared = (node) => check(node, node.source);
    return {
      ImportDeclaration: declared,
      ExportNamedDeclaration: declared,
      ExportAllDeclaration: declared,
      ImportExpression: declared,
      TSImportType: (node) => check(node, node.source ?? node.argument?.literal),
    };
  },
};

export const rooms = { rules: { "one-way": oneWay } };
