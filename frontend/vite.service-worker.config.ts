import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { defineConfig } from "vite";

interface Chunk {
  file: string;
  css?: string[];
  imports?: string[];
  dynamicImports?: string[];
}

const built = process.env.YIZHAN_BUILT ?? "../src/yizhan/web/static/web/built";
const text = readFileSync(`${built}/.vite/manifest.json`, "utf8");
const manifest = JSON.parse(text) as Record<string, Chunk>;

/** What a page needs: its islands with all that they import, also later, and their styles. */
function filesOf(names: string[], found = new Set<string>()): Set<string> {
  for (const name of names) {
    const chunk = manifest[name];
    if (!chunk || found.has(chunk.file)) continue;
    for (const file of [chunk.file, ...(chunk.css ?? [])]) found.add(file);
    filesOf([...(chunk.imports ?? []), ...(chunk.dynamicImports ?? [])], found);
  }
  return found;
}

// The worker keeps the files of this very build, and a new build is a new version.
export default defineConfig({
  publicDir: false,
  define: {
    __VERSION__: JSON.stringify(createHash("sha256").update(text).digest("hex").slice(0, 12)),
    __PAGES__: JSON.stringify({
      "/counter/": [...filesOf(["src/islands/shell.ts", "src/islands/counter.ts"])],
      "/meals/code/": [...filesOf(["src/islands/shell.ts", "src/islands/my-code.ts"])],
      "/visit-form/": [...filesOf(["src/islands/shell.ts", "src/islands/visit.ts"])],
    }),
    __SHELL__: JSON.stringify([
      ...filesOf(["src/islands/shell.ts", "src/islands/offline.ts", "src/islands/report.ts"]),
    ]),
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
