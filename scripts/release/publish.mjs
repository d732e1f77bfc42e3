// Publishes the tarballs of npm/tarballs: the platforms' packages first, so that the main package never names one that
// is not there. What is published already is left out, so that a run that broke off can be repeated.
//
//   node scripts/release/publish.mjs --dry-run        does everything but publish
//   node scripts/release/publish.mjs --tag-is v1.2.3  publishes, when the tarballs are of that version
//
// Not `napi prepublish`: it publishes by itself, makes a release on GitHub, and writes to the checkout.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const root = resolve(fileURLToPath(import.meta.url), "..", "..", "..");
const tarballs = join(root, "npm", "tarballs");

function fail(message) {
  console.error(`holdfast: ${message}`);
  process.exit(1);
}

/** Name and version in a tarball's manifest. */
function manifestOf(file) {
  const done = spawnSync("tar", ["-xzOf", join(tarballs, file), "package/package.json"], { encoding: "utf8" });
  if (done.status !== 0) fail(`${file} is no tarball of npm`);
  const { name, version, optionalDependencies = {} } = JSON.parse(done.stdout);
  return { file, name, version, optionalDependencies };
}

const isPublished = ({ name, version }) =>
  spawnSync("npm", ["view", `${name}@${version}`, "version"], { encoding: "utf8" }).stdout.trim() === version;

const { values } = parseArgs({
  options: { "dry-run": { type: "boolean", default: false }, "tag-is": { type: "string" } },
});
const isDryRun = values["dry-run"];
const packages = readdirSync(tarballs)
  .filter((name) => name.endsWith(".tgz"))
  .map(manifestOf);
const main = packages.find(({ name }) => name === "holdfast");
if (main === undefined) fail("there is no tarball of the main package: npm run package");
const platforms = packages.filter((it) => it !== main);
const missing = Object.keys(main.optionalDependencies).filter((name) => !platforms.some((it) => it.name === name));
if (missing.length > 0) fail(`${missing.join(", ")} is named by the main package, and its tarball is missing`);
if (packages.some(({ version }) => version !== main.version)) fail("the tarballs are of several versions");
if (!isDryRun && values["tag-is"] !== `v${main.version}`)
  fail(`the tarballs are of v${main.version}: say --tag-is v${main.version}`);

for (const it of [...platforms, main]) {
  if (!isDryRun && isPublished(it)) {
    console.log(`${it.name}@${it.version} is published already`);
    continue;
  }
  // A version such as 1.0.0-beta.1 must not become what `npm install` takes.
  const tag = it.version.includes("-") ? "next" : "latest";
  const provenance = process.env.ACTIONS_ID_TOKEN_REQUEST_URL === undefined ? [] : ["--provenance"];
  const args = ["publish", join(tarballs, it.file), "--access", "public", "--tag", tag, "--ignore-scripts"];
  const done = spawnSync("npm", [...args, ...(isDryRun ? ["--dry-run"] : provenance)], { stdio: "inherit" });
  if (done.status !== 0) fail(`npm publish of ${it.name}@${it.version} failed`);
}
