// Installs the S3 clients that the tests in __test__/clients drive, unmodified: s3cmd, rclone and restic as the
// system's packages (and strace, by which a Rust test sees what is synced when), boto3, aws-cli 1 and minio-py in a Python environment outside the checkout. What is there
// already is left alone, so that only a fresh machine waits.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");

/** Programs that are Debian packages of the same name, and how each tells its version. */
const PROGRAMS = { rclone: "version", restic: "version", s3cmd: "--version", strace: "-V" };

/** The Python packages, each with its exact version. */
const REQUIREMENTS = join(root, "__test__", "clients", "requirements.txt");

const works = (program, ...args) => spawnSync(program, args, { stdio: "ignore" }).status === 0;

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

/** Installs what is missing; gives back the folder whose `bin` holds the Python clients. */
export function installClients() {
  const missing = Object.keys(PROGRAMS).filter((program) => !works(program, PROGRAMS[program]));
  if (!works("python3", "-c", "import venv, ensurepip")) missing.push("python3", "python3-venv");
  if (missing.length > 0) installPackages(missing);

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
