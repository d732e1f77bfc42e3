// `npm run package`: the tarballs as they are published, in `npm/tarballs`: the main package, and one package a platform
// with the addon and nothing else. There is no install script, and nothing is downloaded or compiled at install.
//
//   npm run package                                   the Linux targets: release builds by cargo-zigbuild
//   npm run package -- --target aarch64-apple-darwin  named targets; can be repeated
//   npm run package -- --prebuilt FOLDER              the addons that other machines have built, all of them
//   npm run package -- --debug                        the addon that is built already, for tests of the package itself
import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { buildAddon, checkAddon } from "./build-addon.mjs";
import { nodeFile, PLATFORMS } from "./platforms.mjs";

const root = resolve(fileURLToPath(import.meta.url), "..", "..", "..");
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

/** What only a checkout needs. */
const NOT_PUBLISHED = ["scripts", "devDependencies", "overrides", "napi"];

function run(program, args, options = {}) {
  console.log(`\n> ${[program, ...args].join(" ")}`);
  const done = spawnSync(program, args, { cwd: root, stdio: "inherit", ...options });
  if (done.status !== 0) throw new Error(`${program} failed with ${done.error?.message ?? done.signal ?? done.status}`);
}

/** Makes the folders of the platform packages, with `os`, `cpu` and `libc`, as napi names them. */
function makePlatformPackages(folder, targets) {
  const forNapi = join(folder, "package.json");
  const { binaryName } = manifest.napi;
  writeFileSync(forNapi, JSON.stringify({ ...published(), napi: { binaryName, targets } }));
  // From that folder: napi writes nowhere else.
  run(join(root, "node_modules", ".bin", "napi"), ["create-npm-dirs", "--npm-dir", "."], { cwd: folder });
  rmSync(forNapi);
}

/** The manifest without what only a checkout needs, and with the repository that npm's provenance compares. */
function published() {
  const { GITHUB_SERVER_URL, GITHUB_REPOSITORY } = process.env;
  const repository =
    GITHUB_REPOSITORY === undefined
      ? {}
      : { repository: { type: "git", url: `git+${GITHUB_SERVER_URL}/${GITHUB_REPOSITORY}.git` } };
  const kept = Object.entries(manifest).filter(([name]) => !NOT_PUBLISHED.includes(name));
  return { ...Object.fromEntries(kept), ...repository };
}

/** Makes the folder of the main package: what `files` lists, and a manifest that names the platform packages. */
function makeMainPackage(folder, targets) {
  mkdirSync(folder);
  for (const name of [...manifest.files, "README.md", "LICENSE"]) {
    cpSync(join(root, name), join(folder, name), { recursive: true });
  }
  const optionalDependencies = Object.fromEntries(
    targets.map((target) => [`${manifest.name}-${PLATFORMS[target]}`, manifest.version]),
  );
  const json = JSON.stringify({ ...published(), optionalDependencies }, null, 2);
  writeFileSync(join(folder, "package.json"), `${json}\n`);
}

/** Where the addon of a target is, built now or by another machine. */
function addonOf(target, { prebuilt, debug }) {
  if (debug) return join(root, nodeFile(target));
  const file = prebuilt === undefined ? buildAddon(target) : join(resolve(prebuilt), nodeFile(target));
  if (!existsSync(file)) throw new Error(`${file} is missing`);
  checkAddon(target, file);
  return file;
}

/** The targets that the command line names, or those that are built here. */
function targetsOf({ target, prebuilt, debug }) {
  const known = Object.keys(PLATFORMS);
  const unknown = (target ?? []).find((name) => !known.includes(name));
  if (unknown !== undefined) throw new Error(`${unknown} is not one of ${known.join(", ")}`);
  if (target !== undefined) return target;
  if (prebuilt !== undefined) return manifest.napi.targets;
  if (debug) return known.filter((name) => existsSync(join(root, nodeFile(name))));
  return manifest.napi.targets.filter((name) => name.includes("-linux-"));
}

function main() {
  const { values } = parseArgs({
    options: {
      target: { type: "string", multiple: true },
      prebuilt: { type: "string" },
      debug: { type: "boolean", default: false },
      out: { type: "string", default: join(root, "npm") },
    },
  });
  const out = resolve(values.out);
  const targets = targetsOf(values);
  if (targets.length === 0) throw new Error("no addon is built here: npm run build");
  if (!existsSync(join(root, "dist"))) throw new Error("dist/ is missing: npm run build");
  // Built before anything that stands there is removed.
  const addons = targets.map((target) => [target, addonOf(target, values)]);
  rmSync(out, { recursive: true, force: true });
  const tarballs = join(out, "tarballs");
  mkdirSync(tarballs, { recursive: true });
  makePlatformPackages(out, targets);
  for (const [target, file] of addons) {
    const copy = join(out, PLATFORMS[target], nodeFile(target));
    copyFileSync(file, copy);
    // Half of a debug build is its symbols, and they take long to pack.
    if (values.debug && target.includes("-linux-")) run("strip", [copy]);
  }
  makeMainPackage(join(out, "main"), targets);
  for (const folder of ["main", ...targets.map((target) => PLATFORMS[target])]) {
    run("npm", ["pack", "--silent", "--ignore-scripts", "--pack-destination", tarballs], { cwd: join(out, folder) });
  }
  for (const name of readdirSync(tarballs).sort())
    console.log(`${join(tarballs, name)}: ${statSync(join(tarballs, name)).size} bytes`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    main();
  } catch (error) {
    console.error(`\nholdfast: ${error.message}`);
    process.exitCode = 1;
  }
}
