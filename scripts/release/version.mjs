// Sets the version everywhere: node scripts/release/version.mjs 1.2.3
// package.json and its lock, Cargo.toml and its lock, CHANGELOG.md, and what a build generates. Commit and tag follow by hand.
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = resolve(fileURLToPath(import.meta.url), "..", "..", "..");

/** Cargo's manifest of the workspace with another version. */
export function withVersion(manifest, version) {
  const changed = manifest.replace(/(\[workspace\.package\]\nversion = )"[^"]*"/, `$1"${version}"`);
  if (!changed.includes(`version = "${version}"`)) throw new Error("Cargo.toml has no [workspace.package] version");
  return changed;
}

/** The changelog with what is unreleased under a version and its day, and room for what comes next. */
export function withRelease(changelog, version, day) {
  const unreleased = /^## (?:Unreleased|\S+ \(unreleased\))$/m;
  if (!unreleased.test(changelog)) throw new Error("CHANGELOG.md has no section that is unreleased");
  return changelog.replace(unreleased, `## Unreleased\n\n## ${version} - ${day}`);
}

function run(program, ...args) {
  const done = spawnSync(program, args, { cwd: root, stdio: "inherit" });
  if (done.status !== 0) process.exit(done.status ?? 1);
}

function change(name, edit) {
  writeFileSync(join(root, name), edit(readFileSync(join(root, name), "utf8")));
}

function main(version) {
  if (!/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version ?? "")) {
    console.error("usage: node scripts/release/version.mjs 1.2.3");
    process.exit(2);
  }
  const day = new Date().toISOString().slice(0, 10);
  change("CHANGELOG.md", (text) => withRelease(text, version, day));
  change("Cargo.toml", (text) => withVersion(text, version));
  run("npm", "version", version, "--no-git-tag-version", "--allow-same-version", "--ignore-scripts");
  run("cargo", "update", "--workspace", "--offline");
  run(process.execPath, join("scripts", "run.mjs"), "build");
  console.log(`\nLook at the difference; then: git commit -am "Release ${version}" && git tag v${version}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main(process.argv[2]);
