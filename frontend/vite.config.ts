import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defaultClientConditions, defineConfig } from "vite";

const api = process.env.LORESMITH_URL ?? "http://127.0.0.1:8080";
const API_PATHS = [
  "/jobs",
  "/job-types",
  "/worlds",
  "/stats",
  "/queues",
  "/healthz",
  "/readyz",
  "/openapi.json",
  "/docs",
];

export default defineConfig({
  base: "./", // the server writes the path under which a proxy shows the page before it
  plugins: [react()],
  resolve: {
    alias: { "@": fileURLToPath(new URL("src", import.meta.url)) },
    conditions: ["@loresmith/source", ...defaultClientConditions],
  },
  build: {
    outDir: fileURLToPath(new URL("../src/loresmith/api/page", import.meta.url)),
    emptyOutDir: true,
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    target: "es2023",
  },
  server: { proxy: Object.fromEntries(API_PATHS.map((path) => [path, api])) },
});
