// A registry of npm for one test: the tarballs of this package are its own, for all else it sends on to the real one.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createReadStream, readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

export interface Registry {
  /** What `npm --registry` takes. */
  url: string;
  close(): Promise<void>;
}

/** The manifest inside a tarball of npm. */
export function manifestOf(tarball: string): { name: string; version: string } & Record<string, unknown> {
  return JSON.parse(execFileSync("tar", ["-xzOf", tarball, "package/package.json"], { encoding: "utf8" }));
}

/** Serves every tarball of a folder, each as the only version of its package. */
export async function startRegistry(folder: string, real: string): Promise<Registry> {
  const tarballs = readdirSync(folder).filter((name) => name.endsWith(".tgz"));
  const packages = new Map(tarballs.map((file) => [manifestOf(join(folder, file)).name, file]));
  const server = createServer((request, response) => {
    const path = decodeURIComponent((request.url ?? "/").slice(1));
    const file = packages.get(path);
    if (file !== undefined) {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify(packument(join(folder, file), `http://${request.headers.host}/${file}`)));
    } else if (tarballs.includes(path)) {
      createReadStream(join(folder, path)).pipe(response);
    } else {
      response.writeHead(302, { location: new URL(request.url ?? "/", real).href }).end();
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, close };
}

/** What a registry answers about a package of one version. */
function packument(tarball: string, url: string): object {
  const manifest = manifestOf(tarball);
  const integrity = `sha512-${createHash("sha512").update(readFileSync(tarball)).digest("base64")}`;
  const version = { ...manifest, dist: { tarball: url, integrity } };
  return { name: manifest.name, "dist-tags": { latest: manifest.version }, versions: { [manifest.version]: version } };
}
