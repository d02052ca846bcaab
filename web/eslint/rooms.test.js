import { ESLint } from "eslint";
import { beforeAll, describe, expect, it } from "vitest";
import { ROOMS } from "./rooms.js";

/** Lints with the project's own configuration, so that a rule switched off there fails here. */
const eslint = new ESLint({ ruleFilter: ({ ruleId }) => ruleId === "rooms/one-way" });

async function objections(filePath, code) {
  const [result] = await eslint.lintText(code, { filePath });
  return result.messages.map((message) => message.message);
}

// The first call loads every plugin, which takes seconds on a busy machine.
beforeAll(() => objections("src/main.tsx", ""), 60_000);

describe("rooms/one-way", () => {
  it.each([
    ["src/parts/X.tsx", `import { Buy } from "../pages/tranche/buy/Buy";`],
    ["src/parts/X.tsx", `import { router } from "../app/routes";`],
    ["src/pages/market/X.tsx", `import { Buy } from "../tranche/buy/Buy";`],
    ["src/pages/operator/launch/X.tsx", `export { Buy } from "../../tranche/buy/Buy";`],
    ["src/pages/market/X.tsx", `import { router } from "../../app/routes";`],
    ["src/pages/market/X.tsx", `export const page = () => import("../tranche/Tranche");`],
    ["src/chain/X.ts", `import { Hash } from "../parts/Hash";`],
    ["src/chain/facts/X.ts", `import { judge } from "../../verify/judge";`],
    ["src/verify/X.ts", `import { useSend } from "../chain/send";`],
    ["src/verify/tests/X.ts", `import { api } from "../../api/client";`],
    ["src/verify/X.ts", `import { useState } from "react";`],
    ["src/verify/X.ts", `import type { Config } from "wagmi";`],
    ["src/api/X.ts", `export * from "../chain/abis";`],
    ["src/format/X.ts", `import { api } from "../api/client";`],
    ["src/format/X.ts", `export type Api = import("../api/client").Schemas;`],
    ["src/main.tsx", `import { Hash } from "./parts/Hash";`],
  ])("in %s refuses %s", async (file, code) => {
    expect(await objections(file, code)).toHaveLength(1);
  });

  it.each([
    ["src/app/X.tsx", `import { Buy } from "../pages/tranche/buy/Buy";`],
    ["src/pages/tranche/X.tsx", `import { Buy } from "./buy/Buy";`],
    ["src/pages/tranche/buy/X.tsx", `import { TermsState } from "../TermsState";`],
    ["src/pages/market/X.tsx", `import { Hash } from "../../parts/Hash";`],
    ["src/chain/X.ts", `import { useService } from "../api/service";`],
    ["src/chain/X.ts", `import { useState } from "react";`],
    ["src/verify/X.ts", `import { facilityRegistryAbi } from "../generated/abis";`],
  ])("in %s allows %s", async (file, code) => {
    expect(await objections(file, code)).toEqual([]);
  });

  it("has no two rooms that import each other", () => {
    for (const [room, below] of Object.entries(ROOMS)) {
      for (const other of below) expect(ROOMS[other]).not.toContain(room);
    }
  });
});
