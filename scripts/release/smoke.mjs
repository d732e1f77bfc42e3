// Installs the tarballs of a folder on this machine and opens all doors: node scripts/release/smoke.mjs FOLDER
// It needs nothing but Node and npm, so that it runs where nothing can be built.
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = resolve(fileURLToPath(import.meta.url), "..", "..", "..");
const tarballs = resolve(process.argv[2] ?? join(root, "npm", "tarballs"));
const isMusl = process.platform === "linux" && process.report.getReport().header.glibcVersionRuntime === undefined;
const abi = { linux: isMusl ? "-musl" : "-gnu", win32: "-msvc" }[process.platform] ?? "";
const platform = `${process.platform}-${process.arch}${abi}`;

function run(program, args, cwd) {
  // npm is a script of the shell on Windows.
  const done = spawnSync(program, args, { cwd, stdio: "inherit", shell: process.platform === "win32" });
  if (done.status !== 0) process.exit(done.status ?? 1);
}

const folder = mkdtempSync(join(tmpdir(), "holdfast-smoke-"));
cpSync(join(root, "__test__", "package", "project"), folder, { recursive: true });
writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "smoke", private: true }));
const own = readdirSync(tarballs).filter(
  (name) => /^holdfast-\d/.test(name) || name.startsWith(`holdfast-${platform}-`),
);
if (own.length !== 2) throw new Error(`${tarballs} has no package for ${platform}`);
const packages = [...own.map((name) => join(tarballs, name)), "remult@3", "abstract-level@3", "abstract-leveldown@7"];
run("npm", ["install", "--no-audit", "--no-fund", ...packages], folder);
for (const file of ["doors.mjs", "doors.cjs"]) run("node", [file], folder);
