import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Where the Python clients are; `scripts/run.mjs` installs them and says so. */
function pythonClient(name: string): string {
  const folder = process.env.HOLDFAST_CLIENTS;
  const program = folder === undefined ? "" : join(folder, "bin", name);
  if (existsSync(program)) return program;
  throw new Error(`${name} is not installed; run these tests as "node scripts/run.mjs node FILE", which installs it.`);
}

/** The Python that has boto3 and minio. */
export const python = (): string => pythonClient("python");

/** Version 1 of aws-cli. */
export const aws = (): string => pythonClient("aws");

/** The server of moto. */
export const moto = (): string => pythonClient("moto_server");

/** Runs a program to its end and gives back what it printed; fails with all of its output when it fails. */
export function run(program: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<string> {
  return runIn(tmpdir(), program, args, env);
}

/** The same, in a folder. */
export function runIn(
  folder: string,
  program: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"] });
    let [out, all] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      out += text;
      all += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      all += text;
    });
    child.on("error", reject);
    child.on("close", (code, signal) => {
      if (code === 0) resolve(out);
      else reject(new Error(`${program} ${args.join(" ")} ended with ${signal ?? code}:\n${all.slice(-8000)}`));
    });
  });
}
