// Builds the release addon for one target: node scripts/release/build-addon.mjs TARGET FOLDER
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { run } from "./debian.mjs";
import { nodeFile } from "./platforms.mjs";
import { linuxToolchain, OLDEST_GLIBC } from "./toolchain.mjs";

const root = resolve(fileURLToPath(import.meta.url), "..", "..", "..");

/** A release's .node is not larger than this. The aim is 20 MB; x64 for glibc has 28.05, of which 21 are code. */
const LARGEST_ADDON = 30_000_000;

/** Builds the addon for a target; gives back the library. */
export function buildAddon(target) {
  const targetFolder = resolve(root, process.env.CARGO_TARGET_DIR ?? "target");
  const isLinux = target.includes("-linux-");
  const native = { program: "cargo", args: ["build", "--target", target], env: { CARGO_TARGET_DIR: targetFolder } };
  const { program, args, env } = isLinux ? linuxToolchain(target, targetFolder) : native;
  // The name that cargo takes from the environment would be a second target.
  const { CARGO_BUILD_TARGET: _, ...ambient } = process.env;
  run(program, [...args, "--release", "--lib", "-p", "holdfast"], { cwd: root, env: { ...ambient, ...env } });
  const library = target.includes("windows") ? "holdfast.dll" : `libholdfast.${isLinux ? "so" : "dylib"}`;
  return join(env.CARGO_TARGET_DIR, target, "release", library);
}

/** The newest version of glibc that a library asks for, as `[2, 17]`; undefined where it asks for none. */
function newestGlibc(library) {
  const table = execFileSync("readelf", ["--version-info", "--wide", library], {
    encoding: "utf8",
    maxBuffer: 1 << 26,
  });
  const versions = [...table.matchAll(/GLIBC_(\d+)\.(\d+)/g)].map(([, major, minor]) => [Number(major), Number(minor)]);
  return versions.sort(([a, b], [c, d]) => a - c || b - d).at(-1);
}

/** A release's addon has a size and runs on the oldest glibc, or it is not packed. */
export function checkAddon(target, file) {
  const { size } = statSync(file);
  if (size > LARGEST_ADDON) throw new Error(`${file} has ${size} bytes; ${LARGEST_ADDON} are allowed`);
  if (!target.endsWith("-linux-gnu")) return;
  const newest = newestGlibc(file);
  const [major, minor] = OLDEST_GLIBC.split(".").map(Number);
  if (newest === undefined) throw new Error(`${file} names no version of glibc, so nothing is known of it`);
  if (newest[0] > major || newest[1] > minor) throw new Error(`${file} needs glibc ${newest.join(".")}`);
  console.log(`${nodeFile(target)}: ${size} bytes, glibc ${newest.join(".")} and later`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [target, folder] = process.argv.slice(2);
  const file = buildAddon(target);
  checkAddon(target, file);
  mkdirSync(folder, { recursive: true });
  copyFileSync(file, join(folder, nodeFile(target)));
}
