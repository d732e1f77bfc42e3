import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join, resolve } from "node:path";

/** The package's folder. */
export const ROOT = resolve(import.meta.dirname, "..");
/** The program `holdfast`, as it was built. */
export const PROGRAM = join(ROOT, "dist", "lib", "cli", "index.js");

/** Starts `holdfast` with these arguments; its streams are pipes. */
export function start(args: readonly string[], env: Readonly<Record<string, string>> = {}): ChildProcess {
  return spawn(process.execPath, [PROGRAM, ...args], { stdio: "pipe", env: { ...process.env, ...env } });
}

/** How a program ended, and what it wrote. */
export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs `holdfast` to its end, with `input` at its standard input. */
export async function run(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  input = "",
): Promise<Ended> {
  const child = start(args, env);
  child.stdin?.end(input);
  let [stdout, stderr] = ["", ""];
  child.stdout?.on("data", (chunk) => {
    stdout += chunk;
  });
  child.stderr?.on("data", (chunk) => {
    stderr += chunk;
  });
  const [code] = await once(child, "close");
  return { code, stdout, stderr };
}
