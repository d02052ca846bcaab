import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

// During development `npm run dev` serves the page and hands the API's paths to a running service.
const api = process.env.RENTROLL_API_URL ?? "http://127.0.0.1:8000";

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
  test: { environment: "happy-dom", include: ["src/**/*.test.{ts,tsx}", "eslint/*.test.js"] },
});
