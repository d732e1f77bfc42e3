// What builds the addon for another machine than this one: cargo-zigbuild with zig as the linker, which takes the oldest
// glibc that is supported as part of the target, and a standard library of Rust for that target.
// All of it stands in a cache folder; nothing is installed into the system.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cached, DebianPackages, hasDebianPackages, run } from "./debian.mjs";

/** From PyPI, which carries both as binaries. */
const PYTHON_PACKAGES = ["ziglang==0.15.2", "cargo-zigbuild==0.24.0"];

/** The oldest glibc that the addon runs on. */
export const OLDEST_GLIBC = "2.17";

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
 */
function debianRust() {
  const folder = cached("debian-rust", (folder) => {
    const packages = new DebianPackages(folder);
    const version = /^Version: (\d+\.\d+)/m.exec(packages.ask("show", "--no-all-versions", "rustc-web"))?.[1];
    if (version === undefined) throw new Error("this system's Debian packages have no rustc-web");
    const std = `libstd-rust-web-${version}`;
    const llvm = /libllvm\d+/.exec(packages.ask("depends", std))?.[0];
    if (llvm === undefined) throw new Error(`${std} names no LLVM`);
    packages.unpack("rustc-web", std, "libstd-rust-web-dev", "libstd-rust-web-dev:arm64", "rust-web-src", llvm);
    packages.tidy();
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
    if (!hasDebianPackages())
      throw new Error(`rustc has no standard library of ${target}: rustup target add ${target}`);
    env.RUSTC = debianRust();
    env.CARGO_TARGET_DIR = join(targetFolder, "package-debian");
    if (isMusl) {
      env.RUSTC_BOOTSTRAP = "1";
      args.push("-Zbuild-std=std,panic_unwind");
    }
  }
  return { program: join(bin, "cargo-zigbuild"), args, env };
}
