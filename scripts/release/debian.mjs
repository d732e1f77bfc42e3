// Debian's packages in a folder of the cache: nothing is installed, no architecture is added to the system, and no root
// is needed, since apt keeps its lists there too.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

const CACHE = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "holdfast");

/** Runs a program; its failure is an error. */
export function run(program, args, options = {}) {
  console.error(`> ${[program, ...args].join(" ")}`);
  const done = spawnSync(program, args, { stdio: ["ignore", 2, 2], ...options });
  if (done.error !== undefined) throw new Error(`${program} can't be started: ${done.error.message}`);
  if (done.status !== 0) throw new Error(`${program} failed with ${done.signal ?? done.status}`);
}

/** Fills a folder of the cache once: what was broken off in the middle is begun anew. */
export function cached(name, fill) {
  const folder = join(CACHE, name);
  const complete = join(folder, "complete");
  if (existsSync(complete)) return folder;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  fill(folder);
  writeFileSync(complete, "");
  return folder;
}

/** Whether this is an x64 machine with Debian's tools. */
export function hasDebianPackages() {
  const answer = spawnSync("dpkg", ["--print-architecture"], { encoding: "utf8" });
  return answer.status === 0 && answer.stdout.trim() === "amd64";
}

/** Debian's packages for x64 and arm64, looked up with lists of their own. */
export class DebianPackages {
  #folder;
  #options;

  /** @param folder Where lists and packages are kept; packages are unpacked into `root` below it. */
  constructor(folder) {
    this.#folder = folder;
    const places = [
      ["Dir::State::lists", join(folder, "lists")],
      ["Dir::Cache", join(folder, "cache")],
    ];
    for (const [, path] of places) {
      mkdirSync(join(path, "partial"), { recursive: true });
      mkdirSync(join(path, "archives", "partial"), { recursive: true });
    }
    const settings = [
      ...places.map(([name, path]) => `${name}=${path}`),
      "APT::Architectures::=amd64",
      "APT::Architectures::=arm64",
      "APT::Sandbox::User=",
      "Debug::NoLocking=true",
    ];
    this.#options = settings.flatMap((setting) => ["-o", setting]);
    run("apt-get", [...this.#options, "-q", "update"]);
  }

  /** Asks `apt-cache`. */
  ask(...args) {
    return execFileSync("apt-cache", [...this.#options, ...args], { encoding: "utf8" });
  }

  /** Unpacks packages, named as apt names them, into `root`. */
  unpack(...names) {
    run("apt-get", [...this.#options, "-q", "download", ...names], { cwd: this.#folder });
    for (const file of readdirSync(this.#folder).filter((name) => name.endsWith(".deb"))) {
      run("dpkg-deb", ["-x", join(this.#folder, file), join(this.#folder, "root")]);
      rmSync(join(this.#folder, file));
    }
  }

  /** Removes what is not needed once everything is unpacked. */
  tidy() {
    for (const name of ["lists", "cache"]) rmSync(join(this.#folder, name), { recursive: true, force: true });
  }
}
