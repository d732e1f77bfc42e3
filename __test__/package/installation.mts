// The package as a user has it: installed by `npm install` into an empty folder, from the tarballs that are published.
import { execFile, execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { startRegistry } from "./registry.mjs";

export const ROOT = resolve(import.meta.dirname, "..", "..");

/** Programs that a project of tests brings along; they are copied into the folder of the installation. */
const PROJECT = join(import.meta.dirname, "project");

/** What a door needs beside the package. */
const PEERS = ["remult@3", "abstract-level@3", "abstract-leveldown@7"];

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  output: string;
}

/** Runs a program to its end, with neither the settings of a test runner nor a compiler on the PATH. */
export function run(program: string, args: readonly string[], cwd: string): Promise<Ended> {
  const { NODE_TEST_CONTEXT: _, NODE_OPTIONS: __, ...env } = process.env;
  return new Promise((done) => {
    const options = { cwd, env: { ...env, PATH: pathWithoutRust() }, maxBuffer: 64 << 20 };
    const child = execFile(program, args, options, (_error, stdout, stderr) => {
      done({ code: child.exitCode, signal: child.signalCode, output: `${stdout}${stderr}` });
    });
  });
}

function pathWithoutRust(): string {
  const withRust = /\.cargo|rust/;
  return (process.env.PATH ?? "")
    .split(delimiter)
    .filter((folder) => !withRust.test(folder))
    .join(delimiter);
}

/** The folder of the tarballs: those that `npm run test:package` made, or packed now around the addon that is built. */
export function tarballs(folder: string): string {
  const made = process.env.HOLDFAST_TARBALLS;
  if (made !== undefined) return made;
  const out = join(folder, "npm");
  const script = join(ROOT, "scripts", "release", "package.mjs");
  execFileSync(process.execPath, [script, "--debug", "--out", out], { cwd: ROOT, stdio: "pipe" });
  return join(out, "tarballs");
}

export interface Installation {
  /** The folder of the project that has the package installed. */
  folder: string;
  /** The folder of the tarballs that it came from. */
  tarballs: string;
  /** Runs a program of the project in this Node, or in another one; its output and how it ended. */
  node(args: readonly string[], program?: string): Promise<Ended>;
  /** Installs more packages from npm. */
  add(...packages: string[]): Promise<void>;
  remove(): void;
}

/**
 * Installs the package with the peers of all doors into an empty folder.
 *
 * @param flags More flags of `npm install`, for example `--cpu=arm64`.
 */
export async function installPackage({
  flags = [],
  peers = PEERS,
}: {
  flags?: string[];
  peers?: string[];
} = {}): Promise<Installation> {
  const top = mkdtempSync(join(tmpdir(), "holdfast-package-"));
  const folder = join(top, "project");
  cpSync(PROJECT, folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "project", version: "1.0.0", private: true }));
  const from = tarballs(top);
  const add = async (...packages: string[]): Promise<void> => {
    const real = execFileSync("npm", ["config", "get", "registry"], { encoding: "utf8", cwd: top }).trim();
    const registry = await startRegistry(from, real);
    try {
      const quiet = ["--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"];
      const done = await run("npm", ["install", "--registry", registry.url, ...quiet, ...flags, ...packages], folder);
      if (done.code !== 0) throw new Error(`npm install ${packages.join(" ")} failed:\n${done.output}`);
    } finally {
      await registry.close();
    }
  };
  await add("holdfast", ...peers);
  return {
    folder,
    tarballs: from,
    node: (args, program = process.execPath) => run(program, args, folder),
    add,
    remove: () => rmSync(top, { recursive: true, force: true }),
  };
}

/** The names of the files in a tarball, without the folder `package/` that all of them stand in. */
export function filesOf(tarball: string): string[] {
  const list = execFileSync("tar", ["-tzf", tarball], { encoding: "utf8", maxBuffer: 16 << 20 });
  return list
    .split("\n")
    .filter((name) => name !== "")
    .map((name) => name.replace(/^package\//, ""));
}
