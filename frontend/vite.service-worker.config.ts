import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { defineConfig } from "vite";

const built = "../src/yizhan/web/static/web/built";
const manifest = readFileSync(`${built}/.vite/manifest.json`, "utf8");
const chunks = Object.values(
  JSON.parse(manifest) as Record<string, { name?: string; file: string; css?: string[] }>,
);
const shell = chunks
  .filter((chunk) => ["shell", "offline"].includes(chunk.name ?? ""))
  .flatMap((chunk) => [chunk.file, ...(chunk.css ?? [])]);

// The worker keeps the files of this very build, and a new build is a new version.
export default defineConfig({
  publicDir: false,
  define: {
    __VERSION__: JSON.stringify(createHash("sha256").update(manifest).digest("hex").slice(0, 12)),
    __SHELL__: JSON.stringify(shell),
  },
  build: {
    outDir: built,
    emptyOutDir: false,
    target: ["chrome87", "safari14"],
    rollupOptions: {
      input: "src/service-worker.ts",
      output: { format: "iife", entryFileNames: "service-worker.js" },
    },
  },
});
