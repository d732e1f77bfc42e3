// What builds the addon for another machine than this one: cargo-zigbuild with zig as the linker, which takes the oldest
// glibc that is supported as part of the target, and a standard library of Rust for that target.
// All of it stands in a cache folder; nothing is installed into the system.
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

const CACHE = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "holdfast");

/** From PyPI, which carries both as binaries. */
const PYTHON_PACKAGES = ["ziglang==0.15.2", "cargo-zigbuild==0.24.0"];

/** The oldest glibc that the addon runs on. */
export const OLDEST_GLIBC = "2.17";

function run(program, args, options = {}) {
  console.log(`\n> ${[program, ...args].join(" ")}`);
  const done = spawnSync(program, args, { stdio: "inherit", ...options });
  if (done.error !== undefined) throw new Error(`${program} can't be started: ${done.error.message}`);
  if (done.status !== 0) throw new Error(`${program} failed with ${done.signal ?? done.status}`);
}

/** Fills a folder of the cache once: what was broken off in the middle is begun anew. */
function cached(name, fill) {
  const folder = join(CACHE, name);
  const complete = join(folder, "complete");
  if (existsSync(complete)) return folder;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  fill(folder);
  writeFileSync(complete, "");
  return folder;
}

/** The folder with cargo-zigbuild and zig. */
function zigbuild() {
  const version = createHash("sha256").update(PYTHON_PACKAGES.join()).digest("hex").slice(0, 12);
  const folder = cached(`zigbuild-${version}`, (folder) => {
    run("python3", ["-m", "venv", folder]);
    run(join(folder, "bin", "python"), ["-m", "pip", "install", "--quiet", ...PYTHON_PACKAGES]);
  });
  return join(folder, "bin");
}

/** Whether this machine's own rustc has the standard library of a target. */
function hasStandardLibrary(target) {
  const answer = spawnSync("rustc", ["--print", "target-libdir", "--target", target], { encoding: "utf8" });
  const folder = answer.status === 0 ? answer.stdout.trim() : "";
  return existsSync(folder) && readdirSync(folder).some((name) => name.startsWith("libstd-"));
}

/**
 * A rustc beside the machine's own, from Debian's packages, where the standard library is not installed and rustup is
 * not wanted. It has that of x64 and arm64 for glibc; that of musl is built from Debian's sources.
 *
 * apt keeps its lists in the cache folder: no architecture is added to the system, and no root is needed.
 */
function debianRust() {
  const folder = cached("debian-rust", (folder) => {
    const apt = ["Dir::State::lists", "Dir::Cache"].flatMap((name) => {
      const path = join(folder, name === "Dir::Cache" ? "cache" : "lists");
      mkdirSync(join(path, "partial"), { recursive: true });
      mkdirSync(join(path, "archives", "partial"), { recursive: true });
      return ["-o", `${name}=${path}`];
    });
    const architectures = ["-o", "APT::Architectures::=amd64", "-o", "APT::Architectures::=arm64"];
    const options = [...apt, ...architectures, "-o", "APT::Sandbox::User=", "-o", "Debug::NoLocking=true"];
    run("apt-get", [...options, "-q", "update"]);
    const ask = (...args) => execFileSync("apt-cache", [...options, ...args], { encoding: "utf8" });
    const version = /^Version: (\d+\.\d+)/m.exec(ask("show", "--no-all-versions", "rustc-web"))?.[1];
    if (version === undefined) throw new Error("this system's Debian packages have no rustc-web");
    const std = `libstd-rust-web-${version}`;
    const llvm = /libllvm\d+/.exec(ask("depends", std))?.[0];
    if (llvm === undefined) throw new Error(`${std} names no LLVM`);
    const names = ["rustc-web", std, "libstd-rust-web-dev", "libstd-rust-web-dev:arm64", "rust-web-src", llvm];
    run("apt-get", [...options, "-q", "download", ...names], { cwd: folder });
    for (const file of readdirSync(folder).filter((name) => name.endsWith(".deb"))) {
      run("dpkg-deb", ["-x", join(folder, file), join(folder, "root")]);
      rmSync(join(folder, file));
    }
    writeFileSync(join(folder, "rustc"), rustcScript(folder), { mode: 0o755 });
  });
  return join(folder, "rustc");
}

/** Starts Debian's rustc on its own libraries, which stand where no linker looks for them. */
function rustcScript(folder) {
  const root = join(folder, "root", "usr");
  const libraries = readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((name) => /\/(libLLVM|librustc_driver)[^/]*\.so[^/]*$/.test(name))
    .map((name) => join(root, name, ".."));
  const path = [...new Set(libraries)].join(":");
  return `#!/bin/sh\nLD_LIBRARY_PATH='${path}' exec '${join(root, "bin", "rustc")}' "$@"\n`;
}

/**
 * How `cargo` builds the addon for a Linux target: the program, what stands before its other arguments, and what it
 * needs in its environment.
 *
 * @param target For example `aarch64-unknown-linux-gnu`.
 * @param targetFolder The folder of build results; another rustc gets a folder of its own below it.
 */
export function linuxToolchain(target, targetFolder) {
  const bin = zigbuild();
  const isMusl = target.endsWith("-musl");
  const env = { PATH: `${bin}:${process.env.PATH}`, CARGO_TARGET_DIR: join(targetFolder, "package") };
  // An addon is loaded by a program that has a C library already.
  if (isMusl) env.RUSTFLAGS = "-Ctarget-feature=-crt-static";
  const args = ["zigbuild", "--target", isMusl ? target : `${target}.${OLDEST_GLIBC}`];
  if (!hasStandardLibrary(target)) {
    if (!canUseDebian()) throw new Error(`rustc has no standard library of ${target}: rustup target add ${target}`);
    env.RUSTC = debianRust();
    env.CARGO_TARGET_DIR = join(targetFolder, "package-debian");
    if (isMusl) {
      env.RUSTC_BOOTSTRAP = "1";
      args.push("-Zbuild-std=std,panic_unwind");
    }
  }
  return { program: join(bin, "cargo-zigbuild"), args, env };
}

/** Whether this is an x64 machine with Debian's tools. */
function canUseDebian() {
  const answer = spawnSync("dpkg", ["--print-architecture"], { encoding: "utf8" });
  return answer.status === 0 && answer.stdout.trim() === "amd64";
}
