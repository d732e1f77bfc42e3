// Builds the console's page with Vite and puts it, compressed, where the server's crate embeds it from. A file is
// written only when what it holds differs: compressed bytes depend on the version of zlib, their content does not.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { constants, gunzipSync, gzipSync } from "node:zlib";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const folder = join(root, "crates", "s3-server", "src", "console", "files");

/** What the server embeds; anything else that Vite made would never be served. */
const FILES = ["index.html", "console.js", "console.css", "icon.svg"];

/** The most that all of it may take, compressed. */
const MAX_BYTES = 150_000;

/** Builds it; gives back the names of the files that changed. */
export async function buildConsole() {
  const { build } = await import("vite");
  const { NODE_ENV } = process.env;
  const { output } = await build({ configFile: join(root, "console", "vite.config.mts"), build: { write: false } });
  // Vite sets it for the whole process, and npm, which the tests run, would then leave out what is for development.
  if (NODE_ENV === undefined) delete process.env.NODE_ENV;
  else process.env.NODE_ENV = NODE_ENV;
  const made = new Map(output.map((file) => [file.fileName, Buffer.from(file.code ?? file.source)]));
  made.set("icon.svg", readFileSync(join(root, "console", "public", "icon.svg")));
  const unknown = [...made.keys()].filter((name) => !FILES.includes(name));
  if (unknown.length > 0) throw new Error(`the console's build made ${unknown.join(", ")}, which is not served`);
  const changed = FILES.filter((name) => keep(name, made.get(name)));
  const bytes = FILES.reduce((sum, name) => sum + readFileSync(join(folder, `${name}.gz`)).length, 0);
  if (bytes > MAX_BYTES) throw new Error(`the console takes ${bytes} bytes compressed; ${MAX_BYTES} are allowed`);
  console.log(`console: ${bytes} bytes compressed${changed.length > 0 ? `, new ${changed.join(", ")}` : ""}`);
  return changed;
}

/** Writes a file unless it holds that already; whether it was written. */
function keep(name, content) {
  if (content === undefined) throw new Error(`the console's build made no ${name}`);
  const path = join(folder, `${name}.gz`);
  const before = existsSync(path) ? readFileSync(path) : Buffer.alloc(0);
  if (before.length > 0 && gunzipSync(before).equals(content)) return false;
  writeFileSync(path, gzipSync(content, { level: constants.Z_BEST_COMPRESSION }));
  return true;
}
