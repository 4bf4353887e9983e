import { globSync } from "node:fs";
import { basename } from "node:path";
import { defineConfig } from "vite";

const islands = Object.fromEntries(globSync("src/islands/*.ts").map((path) => [basename(path, ".ts"), path]));

// Old Android WebViews are what our readers carry: Chrome 87 of 2020 still gets working script.
export default defineConfig({
  base: "./",
  publicDir: false,
  css: { transformer: "lightningcss" },
  build: {
    outDir: "../src/yizhan/web/static/web/built",
    emptyOutDir: true,
    manifest: true,
    target: ["chrome87", "safari14"],
    modulePreload: { polyfill: false },
    // htmx evaluates only what `allowEval` lets it, and ours is false.
    rollupOptions: {
      input: islands,
      checks: { eval: false, pluginTimings: false },
      output: { codeSplitting: { groups: [{ name: "maplibre", test: /node_modules\/maplibre-gl/ }] } },
    },
    chunkSizeWarningLimit: 1200, // the map library; loaded only where there is a map
    assetsInlineLimit: 0, // outlines are fetched, and the content security policy lets nothing be fetched from data: addresses
  },
});
