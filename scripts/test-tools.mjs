// Installs what the tests drive beside Node and Rust: other people's S3 clients, PostgreSQL, openssl and strace as the
// system's packages, and the clients that are written in Python in an environment outside the checkout. What is there
// already is left alone, so that only a fresh machine waits. Nothing else in the house installs a system package.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");

/** The Python packages, each with its exact version. */
const REQUIREMENTS = join(root, "__test__", "clients", "requirements.txt");

/** Debian packages, and how each is seen to be there. */
const PACKAGES = [
  { name: "rclone", isThere: () => works("rclone", "version") },
  { name: "restic", isThere: () => works("restic", "version") },
  { name: "s3cmd", isThere: () => works("s3cmd", "--version") },
  // A Rust test sees by it what is synced when.
  { name: "strace", isThere: () => works("strace", "-V") },
  // Makes the certificate of the PostgreSQL server.
  { name: "openssl", isThere: () => works("openssl", "version") },
  { name: "postgresql", isThere: hasPostgres },
  // The console is tested in it.
  { name: "chromium", isThere: () => works("chromium", "--version") },
  { name: "python3", isThere: () => works("python3", "--version") },
  { name: "python3-venv", isThere: () => works("python3", "-c", "import venv, ensurepip") },
];

const works = (program, ...args) => spawnSync(program, args, { stdio: "ignore" }).status === 0;

function hasPostgres() {
  const folder = "/usr/lib/postgresql";
  const versions = existsSync(folder) ? readdirSync(folder) : [];
  const places = [...versions.map((version) => join(folder, version, "bin")), "/usr/local/bin", "/usr/bin"];
  return places.some((place) => ["initdb", "pg_ctl", "psql"].every((name) => existsSync(join(place, name))));
}

function run(program, args) {
  console.log(`\n> ${[program, ...args].join(" ")}`);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  return spawnSync(program, args, { stdio: "inherit", env }).status === 0;
}

/** Installs Debian packages, as root or with a sudo that asks nothing. */
function installPackages(names) {
  const wayIn = process.getuid?.() === 0 ? [] : ["sudo", "-n"];
  const apt = (...args) => {
    const [program, ...rest] = [...wayIn, "apt-get", "-q", "-o", "DPkg::Lock::Timeout=300", ...args];
    return run(program, rest);
  };
  const install = () => apt("install", "-y", "--no-install-recommends", ...names);
  // A machine whose package lists are recent enough need not fetch them.
  if (install() || (apt("update") && install())) return;
  throw new Error(`${names.join(", ")} can't be installed with apt-get here. Install them, then run the tests again.`);
}

/** Makes the Python environment of the requirements; gives back its folder. */
function installPython() {
  const python = spawnSync("python3", ["-c", "import sys; print(sys.executable, sys.version)"]).stdout;
  const version = createHash("sha256").update(readFileSync(REQUIREMENTS)).update(python).digest("hex").slice(0, 12);
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache");
  const folder = join(cache, "holdfast", `clients-${version}`);
  const installed = join(folder, "installed");
  if (existsSync(installed)) return folder;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(dirname(folder), { recursive: true });
  const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement", REQUIREMENTS];
  if (!run("python3", ["-m", "venv", folder]) || !run(join(folder, "bin", "python"), pip))
    throw new Error(`${REQUIREMENTS} can't be installed; the output above says why.`);
  writeFileSync(installed, "");
  return folder;
}

/** Installs what is missing; gives back the folder whose `bin` holds the Python clients. */
export function installTestTools() {
  const missing = PACKAGES.filter(({ isThere }) => !isThere()).map(({ name }) => name);
  if (missing.length > 0) installPackages(missing);
  return installPython();
}
