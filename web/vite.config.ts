import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

// During development `npm run dev` serves the page and hands the API's paths to a running service.
const api = process.env.RENTROLL_API_URL ?? "http://127.0.0.1:8000";

// Tests that use the browser's storage or render; all others run in Node alone, which takes a quarter of the time.
const NEEDS_DOM = "src/**/*.dom.test.{ts,tsx}";

export default defineConfig({
  plugins: [react()],
  server: { proxy: { "/v1": api, "/openapi.json": api } },
  build: {
    outDir: "../build/web",
    emptyOutDir: true,
    target: "es2022",
    // An inlined file would be a `data:` address, which the content security policy refuses for fonts and workers.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 700,
    modulePreload: { polyfill: false },
    manifest: "manifest.json",
  },
  test: {
    coverage: {
      provider: "v8",
      include: ["src/**/*.{ts,tsx}"],
      exclude: [
        "src/generated/**",
        "src/**/*.test.{ts,tsx}",
        "src/**/*.fixture.{ts,tsx}",
        "src/verify/tests/**",
      ],
      reporter: ["text-summary", "json-summary"],
      reportsDirectory: "../build/reports/web-coverage",
      // Pages are tested in a browser by tests/browser, which this does not count.
      thresholds: {
        statements: 41,
        branches: 33,
        functions: 35,
        lines: 41,
        "src/format/**": { statements: 100, branches: 98, functions: 100, lines: 100 },
        "src/verify/**": { statements: 90, branches: 85, functions: 87, lines: 92 },
        "src/chain/facts/**": { statements: 94, branches: 85, functions: 96, lines: 94 },
      },
    },
    projects: [
      {
        extends: true,
        test: {
          name: "pure",
          include: ["src/**/*.test.{ts,tsx}", "eslint/*.test.js"],
          exclude: [NEEDS_DOM],
          environment: "node",
          // One set of modules for all of these files: viem alone takes a second to load, and none keeps state.
          isolate: false,
        },
      },
      {
        extends: true,
        // Whole pages take seconds on a busy machine.
        test: { name: "dom", include: [NEEDS_DOM], environment: "happy-dom", testTimeout: 30_000 },
      },
    ],
  },
});
