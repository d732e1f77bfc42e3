// One command line for the whole house: `node scripts/run.mjs build|release|tools|console|test|node|check|package|demo|bench|format`.
// It needs nothing but Node and Rust: what is missing from node_modules it installs first.
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { buildConsole } from "./console.mjs";
import { tolerateMissing, writeModuleDeclaration } from "./declarations.mjs";
import { installTestTools } from "./test-tools.mjs";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const require = createRequire(join(root, "package.json"));

/** Entry points of the package; each gets an ES module beside it that re-exports the CommonJS one. */
const ENTRIES = [
  "index",
  "lib/level/index",
  "lib/level/leveldown",
  "lib/remult/index",
  "lib/fixtures/jest",
  "lib/fixtures/node-test",
  "lib/interop/keyv",
  "lib/interop/unstorage",
];

/** The tests that `check` runs and `test` leaves out. */
const HOUSE_RULES = join("__test__", "house");

/** The tests that drive other people's S3 clients, which are installed first. */
const CLIENTS = join("__test__", "clients");

/** What a build writes and the repository keeps. */
const GENERATED = ["native.cjs", "native.d.ts", "index.d.ts"];

/** Runs a program in the root folder; its failure ends this process with the same code. */
function run(program, args, options = {}) {
  const shown = [program, ...args].join(" ");
  console.log(`\n> ${shown.length > 160 ? `${shown.slice(0, 160)} …` : shown}`);
  const done = spawnSync(program, args, {
    cwd: root,
    stdio: "inherit",
    ...options,
    env: { ...process.env, ...options.env },
  });
  if (done.error?.code === "ENOENT") fail(`${program} is not installed. CONTRIBUTING.md says what this project needs.`);
  if (done.status !== 0) fail(`"${shown}" failed with ${done.signal ?? done.status}; its output above says why.`);
}

function fail(message) {
  console.error(`\nholdfast: ${message}`);
  process.exit(1);
}

function bin(name) {
  return join(root, "node_modules", ".bin", name);
}

/** Installs node_modules when they are missing or older than the lock file. */
function install() {
  const installed = join(root, "node_modules", ".package-lock.json");
  const lock = join(root, "package-lock.json");
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return;
  // Not `npm ci`: it refuses a lock file that lacks another platform's optional binaries.
  run("npm", ["install", "--no-save", "--include=dev"]);
  utimesSync(installed, new Date(), new Date());
}

/** cargo and the addon's build share one target folder only when both name the target. */
function cargoTarget() {
  const host = /^host: (.+)$/m.exec(execFileSync("rustc", ["-vV"], { encoding: "utf8" }));
  if (host === null) fail("rustc -vV does not name its host");
  return { CARGO_BUILD_TARGET: process.env.CARGO_BUILD_TARGET ?? host[1] };
}

function buildAddon(release) {
  const args = ["build", "--platform", "--js", "native.cjs", "--dts", "native.d.ts"];
  run(bin("napi"), release ? [...args, "--release"] : args);
}

function buildTypeScript() {
  rmSync(join(root, "dist"), { recursive: true, force: true });
  run(bin("tsc"), ["-p", "tsconfig.json"]);
  for (const entry of ENTRIES) {
    const file = join(root, "dist", `${entry}.js`);
    if (existsSync(file)) writeEsModule(file);
  }
}

/** An ES module that re-exports what the CommonJS one exports: one implementation, so one set of classes. */
function writeEsModule(file) {
  const exported = require(file);
  const name = `./${file.slice(file.lastIndexOf("/") + 1)}`;
  const lines = [`import module from "${name}";`];
  if (typeof exported === "function") lines.push("export default module;");
  const names = Object.keys(exported).filter((key) => /^[A-Za-z_$][\w$]*$/.test(key) && key !== "default");
  // What needs Remult needs the ES modules of it here: two builds in one process would be two Remults.
  const withRemult = names.filter((key) => typeof exported[key]?.withRemult === "function");
  const plain = names.filter((key) => !withRemult.includes(key));
  if (plain.length > 0) lines.push(`export const { ${plain.join(", ")} } = module;`);
  const loaders = `{ remult: () => import("remult"), sqlite: () => import("remult/remult-sqlite-core-js") }`;
  for (const key of withRemult) lines.push(`export const ${key} = module.${key}.withRemult(${loaders});`);
  writeFileSync(file.replace(/\.js$/, ".mjs"), `${lines.join("\n")}\n`);
  // The front door's types are the rolled-up ones, which stand in the root folder.
  const types = file === join(root, "dist", "index.js") ? "../index.js" : name;
  writeModuleDeclaration(file.replace(/\.js$/, ".d.mts"), types, typeof exported === "function");
}

/** Rolls the public types up into one readable file. */
function buildTypes() {
  run(bin("dts-bundle-generator"), [
    "--project",
    "tsconfig.json",
    "--no-banner",
    "--no-check",
    "--export-referenced-types",
    "false",
    "-o",
    "index.d.ts",
    "index.ts",
  ]);
  tolerateMissing(join(root, "dist"), [join(root, "index.d.ts")]);
}

async function build({ release = false } = {}) {
  // Before the addon, which embeds it.
  await buildConsole();
  buildAddon(release);
  buildTypeScript();
  buildTypes();
}

/** Every `*.test.ts` and `*.test.mts` below a folder, sorted. */
function testFiles(folder) {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => /\.test\.m?ts$/.test(name))
    .sort()
    .map((name) => join(folder, name));
}

function nodeTests(files) {
  const needClients = files.some((file) => resolve(root, file).startsWith(join(root, CLIENTS)));
  const env = needClients ? { HOLDFAST_CLIENTS: tools() } : {};
  // One that hangs is named, where all of CI would be stopped without a word. The long forms take what they need.
  const limit = process.env.HOLDFAST_LONG === undefined ? ["--test-timeout=1500000"] : [];
  run(process.execPath, ["--import", "tsx", "--test", ...limit, ...files], { env });
}

function tools() {
  try {
    return installTestTools();
  } catch (error) {
    fail(error.message);
  }
}

function rustTests() {
  const hasNextest = spawnSync("cargo", ["nextest", "--version"], { stdio: "ignore" }).status === 0;
  run("cargo", hasNextest ? ["nextest", "run", "--workspace"] : ["test", "--workspace"], { env: cargoTarget() });
}

async function test() {
  tools();
  await build();
  rustTests();
  nodeTests(testFiles("__test__").filter((file) => !file.startsWith(HOUSE_RULES)));
}

/** Everything that CI does beside the tests. */
async function check() {
  run("cargo", ["fmt", "--all", "--check"]);
  run("cargo", ["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"], { env: cargoTarget() });
  await checkGenerated();
  run(bin("tsc"), ["-p", "tsconfig.test.json"]);
  run(bin("tsc"), ["-p", "console/tsconfig.json"]);
  run(bin("biome"), ["ci", "--colors=off", "."]);
  nodeTests(testFiles(HOUSE_RULES));
}

/** Builds, and fails when a committed generated file came out otherwise. */
async function checkGenerated() {
  const digest = (name) =>
    createHash("sha256")
      .update(readFileSync(join(root, name)))
      .digest("hex");
  const before = GENERATED.map(digest);
  const ofConsole = await buildConsole();
  await build();
  const changed = GENERATED.filter((name, index) => digest(name) !== before[index]).concat(ofConsole);
  if (changed.length > 0) fail(`${changed.join(", ")} changed by building. Look at the difference and commit it.`);
}

/** The tarballs as they are published, in npm/tarballs; scripts/release/package.mjs says which. */
async function pack() {
  await build();
  run(process.execPath, ["scripts/release/package.mjs", ...process.argv.slice(3)]);
}

/** All tests of the package on the tarballs of `npm run package`, in their long form. */
function testPackage() {
  const tarballs = join(root, "npm", "tarballs");
  if (!existsSync(tarballs)) fail("there are no tarballs yet: npm run package");
  const env = { HOLDFAST_TARBALLS: tarballs, HOLDFAST_LONG: "1" };
  run(process.execPath, ["--import", "tsx", "--test", ...testFiles(join("__test__", "package"))], { env });
}

async function demo() {
  await build();
  run(process.execPath, ["examples/demo.mjs"]);
}

/** Release build, the peers of bench/package.json, then every benchmark (or the named ones). */
async function bench() {
  await build({ release: true });
  const folder = join(root, "bench");
  if (!existsSync(join(folder, "node_modules"))) run("npm", ["install", "--no-save"], { cwd: folder });
  const named = process.argv.slice(3);
  const isBench = (name) => name.endsWith(".mjs") && name !== "measure.mjs";
  const files = readdirSync(folder).filter(
    (name) => isBench(name) && (named.length === 0 || named.includes(name.slice(0, -4))),
  );
  if (files.length === 0) fail(`no benchmark is called ${named.join(", ")}; look into bench/`);
  for (const file of files.sort()) run(process.execPath, [join("bench", file)]);
}

/** The site of docs/, in docs/.vitepress/dist: the pages, and the API's reference from its doc comments. */
function docs() {
  const folder = join(root, "docs");
  const program = (name) => join(folder, "node_modules", ".bin", name);
  if (!existsSync(program("vitepress"))) run("npm", ["install", "--no-save", "--no-package-lock"], { cwd: folder });
  run(program("typedoc"), [], { cwd: folder });
  run(program("vitepress"), ["build"], { cwd: folder });
}

function format() {
  run("cargo", ["fmt", "--all"]);
  run(bin("biome"), ["check", "--write", "."]);
}

const COMMANDS = {
  build,
  release: () => build({ release: true }),
  /** What the tests need of the system. */
  tools,
  /** The console's page alone, as the server embeds it. */
  console: async () => void (await buildConsole()),
  test,
  /** Only the named Node test files; what they test must be built. */
  node: () => nodeTests(process.argv.slice(3)),
  check,
  package: pack,
  "test-package": testPackage,
  demo,
  bench,
  docs,
  format,
};

const command = COMMANDS[process.argv[2]];
if (command === undefined) fail(`usage: node scripts/run.mjs ${Object.keys(COMMANDS).join("|")}`);
if (!existsSync(join(root, "package-lock.json"))) fail("package-lock.json is missing");
install();
await command();
