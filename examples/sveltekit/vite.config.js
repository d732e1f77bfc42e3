import { sveltekit } from "@sveltejs/kit/vite";
import { defineConfig } from "vite";

// A native addon is loaded by Node, not bundled.
export default defineConfig({ plugins: [sveltekit()], ssr: { external: ["holdfast"] } });
