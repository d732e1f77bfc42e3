import { defineConfig } from "vite";

/** One script and one style under fixed names: the server knows them, and asks browsers to look for newer ones. */
export default defineConfig({
  base: "/_console/",
  root: import.meta.dirname,
  logLevel: "warn",
  build: {
    target: "es2022",
    modulePreload: { polyfill: false },
    cssCodeSplit: false,
    assetsInlineLimit: 0,
    rollupOptions: {
      output: { entryFileNames: "console.js", chunkFileNames: "console-[name].js", assetFileNames: "console[extname]" },
    },
  },
});
