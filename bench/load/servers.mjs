// The servers that are loaded: each in a process of its own, over folders of one temporary folder.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const bench = fileURLToPath(new URL("..", import.meta.url));
const require = createRequire(join(bench, "package.json"));
const requireOfPackage = createRequire(resolve(bench, "../package.json"));
const { S3Client, CreateBucketCommand } = requireOfPackage("@aws-sdk/client-s3");

export const credentials = { accessKeyId: "S3RVER", secretAccessKey: "S3RVER" };

/** A program's path: as the environment says, among installed Cargo programs, or on the path; else `undefined`. */
function found(program, variable) {
  const places = [process.env[variable], join(homedir(), ".cargo", "bin", program), `/usr/sbin/${program}`];
  const place = places.find((path) => path !== undefined && existsSync(path));
  return place ?? (spawnSync(program, ["--version"], { stdio: "ignore" }).error ? undefined : program);
}

/** A port that is free now. */
async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((listening) => server.once("listening", listening));
  const { port } = server.address();
  await new Promise((closed) => server.close(closed));
  return port;
}

/** A program of Node that runs a SmartStorage over a folder. */
export const holdfast = (port, directory, enabled = true) => `
  const { SmartStorage } = require(${JSON.stringify(resolve(bench, "../dist/index.js"))});
  SmartStorage.createAndStart({
    server: { port: ${port}, address: "127.0.0.1", silent: true },
    storage: { directory: ${JSON.stringify(directory)} },
    auth: { enabled: ${enabled}, credentials: [${JSON.stringify(credentials)}] },
  });`;
const s3rver = (port, directory) => `
  const S3rver = require(${JSON.stringify(require.resolve("s3rver"))});
  new S3rver({ port: ${port}, address: "127.0.0.1", silent: true, directory: ${JSON.stringify(directory)} }).run();`;

/** How each server is started over a folder; `undefined` where it isn't installed. */
const PROGRAMS = {
  holdfast: (port, folder) => [process.execPath, "-e", holdfast(port, folder)],
  s3rver: (port, folder) => [process.execPath, "-e", s3rver(port, folder)],
  "s3s-fs": (port, folder) => {
    const program = found("s3s-fs", "S3S_FS");
    if (program === undefined) return undefined;
    mkdirSync(folder);
    const keys = ["--access-key", credentials.accessKeyId, "--secret-key", credentials.secretAccessKey];
    return [program, "--host", "127.0.0.1", "--port", String(port), ...keys, folder];
  },
  moto: (port) => {
    const program = found("moto_server", "MOTO_SERVER");
    return program && [program, "-H", "127.0.0.1", "-p", String(port)];
  },
};

/** The names of all servers, ours first. */
export const NAMES = Object.keys(PROGRAMS);

/** A client of a server on this machine. */
export function clientOf(port) {
  return new S3Client({
    endpoint: `http://127.0.0.1:${port}`,
    region: "us-east-1",
    credentials: { ...credentials },
    forcePathStyle: true,
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    maxAttempts: 5,
  });
}

/** Runs a program that answers on a port, and waits until `isThere` does not fail. */
async function running(name, [program, ...args], port, isThere) {
  const child = spawn(program, args, { stdio: "ignore", env: { ...process.env, RUST_LOG: "off" } });
  const ended = new Promise((done) => child.once("exit", done));
  const stop = async (signal = "SIGKILL") => {
    child.kill(signal);
    await ended;
  };
  for (const deadline = Date.now() + 60_000; ; await sleep(50)) {
    try {
      return { name, port, pid: child.pid, stop, ...(await isThere()) };
    } catch (error) {
      if (Date.now() > deadline || child.exitCode !== null) throw error;
    }
  }
}

/** Starts a server over a folder, with the bucket `bench`; `undefined` where it isn't installed. */
export async function start(name, folder) {
  const port = await freePort();
  const command = PROGRAMS[name](port, folder);
  if (command === undefined) return undefined;
  const client = clientOf(port);
  return running(name, command, port, async () => {
    await client.send(new CreateBucketCommand({ Bucket: "bench" }));
    return { client };
  });
}

/** Starts ours without credentials, with a bucket. */
export async function startOpen(folder, Bucket) {
  const port = await freePort();
  return running("holdfast", [process.execPath, "-e", holdfast(port, folder, false)], port, async () => {
    await clientOf(port).send(new CreateBucketCommand({ Bucket }));
  });
}

/** Starts nginx over plain files below `bench/` with the names and bytes that are given; `undefined` where it isn't installed. */
export async function startNginx(root, files) {
  const program = found("nginx", "NGINX");
  if (program === undefined) return undefined;
  const port = await freePort();
  mkdirSync(join(root, "bench"), { recursive: true });
  for (const [name, bytes] of files) writeFileSync(join(root, "bench", name), bytes);
  const user = process.getuid?.() === 0 ? "user root;" : "";
  const configuration = `${user} worker_processes auto; daemon off; pid ${root}/pid; error_log ${root}/error.log;
    events { worker_connections 512; }
    http { access_log off; sendfile on; keepalive_requests 1000000000;
      server { listen 127.0.0.1:${port}; root ${root}; } }`;
  writeFileSync(join(root, "nginx.conf"), configuration);
  const server = await running("nginx", [program, "-c", join(root, "nginx.conf")], port, async () => {
    await fetch(`http://127.0.0.1:${port}/`);
  });
  return { ...server, stop: () => server.stop("SIGTERM") };
}
