// Servers under the load of wrk, which is no Node program: the same presigned requests to each, every server in a process
// of its own, round by round in turns. nginx serves the same bytes without looking at a signature: the limit for a get.
// Peers that are not installed are named and left out; CONTRIBUTING.md says how to get each.
import { spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const require = createRequire(join(here, "package.json"));
const requireOfPackage = createRequire(resolve(here, "../package.json"));
const { S3Client, CreateBucketCommand, ListObjectsV2Command, GetObjectCommand, PutObjectCommand } =
  requireOfPackage("@aws-sdk/client-s3");
const { getSignedUrl } = requireOfPackage("@aws-sdk/s3-request-presigner");

const KIB = 1024;
const MIB = KIB * KIB;
const SECONDS = Number(process.env.BENCH_SECONDS ?? 4);
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 3);
const WIDTHS = (process.env.BENCH_CONNECTIONS ?? "1,64").split(",").map(Number);
const LISTED = (process.env.BENCH_LISTED ?? "1000").split(",").map(Number);
const ONLY = process.env.BENCH_ONLY?.split(",");
const KEYS = { small: 1000, large: 64 };
const credentials = { accessKeyId: "S3RVER", secretAccessKey: "S3RVER" };

const folder = mkdtempSync(join(tmpdir(), "holdfast-load-"));
const inFolder = (...path) => join(folder, ...path);

/** Whether a program answers to being asked for its version. */
const isThere = (program) => spawnSync(program, ["--version"], { stdio: "ignore" }).error === undefined;

/** A port that is free now. */
async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((listening) => server.once("listening", listening));
  const { port } = server.address();
  await new Promise((closed) => server.close(closed));
  return port;
}

const holdfast = (port) => `
  const { SmartStorage } = require(${JSON.stringify(resolve(here, "../dist/index.js"))});
  SmartStorage.createAndStart({
    server: { port: ${port}, address: "127.0.0.1", silent: true },
    storage: { directory: ${JSON.stringify(inFolder("holdfast"))} },
    auth: { enabled: true, credentials: [${JSON.stringify(credentials)}] },
  });`;
const s3rver = (port) => `
  const S3rver = require(${JSON.stringify(require.resolve("s3rver"))});
  new S3rver({ port: ${port}, address: "127.0.0.1", silent: true, directory: ${JSON.stringify(inFolder("s3rver"))} }).run();`;

/** How each server is started; `undefined` where it isn't installed. */
const PROGRAMS = {
  holdfast: (port) => [process.execPath, "-e", holdfast(port)],
  s3rver: (port) => [process.execPath, "-e", s3rver(port)],
  "s3s-fs": (port) => {
    const program = process.env.S3S_FS ?? "s3s-fs";
    if (!isThere(program)) return undefined;
    mkdirSync(inFolder("s3s-fs"));
    const keys = ["--access-key", credentials.accessKeyId, "--secret-key", credentials.secretAccessKey];
    return [program, "--host", "127.0.0.1", "--port", String(port), ...keys, inFolder("s3s-fs")];
  },
  moto: (port) => {
    const program = process.env.MOTO_SERVER ?? "moto_server";
    return isThere(program) ? [program, "-H", "127.0.0.1", "-p", String(port)] : undefined;
  },
};

/** Starts a server; gives back its client and its end. */
async function start(name) {
  const port = await freePort();
  const command = PROGRAMS[name](port);
  if (command === undefined) return undefined;
  const child = spawn(command[0], command.slice(1), { stdio: "ignore", env: { ...process.env, RUST_LOG: "off" } });
  const client = new S3Client({
    endpoint: `http://127.0.0.1:${port}`,
    region: "us-east-1",
    credentials: { ...credentials },
    forcePathStyle: true,
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    maxAttempts: 5,
  });
  const deadline = Date.now() + 30_000;
  for (;;) {
    try {
      await client.send(new CreateBucketCommand({ Bucket: "bench" }));
      return { name, port, pid: child.pid, client, stop: () => child.kill("SIGKILL") };
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await sleep(100);
    }
  }
}

/** Starts nginx over a folder of plain files; `undefined` where it isn't installed. */
async function startNginx() {
  if (!isThere("nginx") && !existsSync("/usr/sbin/nginx")) return undefined;
  const port = await freePort();
  const root = inFolder("nginx");
  mkdirSync(join(root, "bench"), { recursive: true });
  for (const [kind, count] of Object.entries(KEYS)) {
    for (let n = 0; n < count; n++) writeFileSync(join(root, "bench", `${kind}-${n}`), bodies[kind]);
  }
  const user = process.getuid?.() === 0 ? "user root;" : "";
  const configuration = `${user} worker_processes auto; daemon off; pid ${root}/pid; error_log ${root}/error.log;
    events { worker_connections 512; }
    http { access_log off; sendfile on; keepalive_requests 1000000000;
      server { listen 127.0.0.1:${port}; root ${root}; } }`;
  writeFileSync(join(root, "nginx.conf"), configuration);
  const child = spawn(isThere("nginx") ? "nginx" : "/usr/sbin/nginx", ["-c", join(root, "nginx.conf")], {
    stdio: "ignore",
  });
  await sleep(500);
  return { name: "nginx", port, pid: child.pid, stop: () => child.kill("SIGTERM") };
}

const bodies = { small: randomBytes(KIB), large: randomBytes(MIB) };
const bodyFiles = { small: inFolder("small"), large: inFolder("large") };
for (const kind of Object.keys(bodies)) writeFileSync(bodyFiles[kind], bodies[kind]);

/** Writes down a server's presigned requests, in a file as load.lua reads it. */
async function requestsOf(server, title, commands) {
  const lines = [];
  for (const command of commands) {
    if (server.client === undefined) {
      lines.push(`GET /bench/${command.input.Key}`);
      continue;
    }
    const url = new URL(await getSignedUrl(server.client, command, { expiresIn: 7 * 86_400 }));
    lines.push(`${command instanceof PutObjectCommand ? "PUT" : "GET"} ${url.pathname}${url.search}`);
  }
  const file = inFolder(`${server.name}-${title}`.replaceAll(" ", "_"));
  writeFileSync(file, lines.join("\n"));
  return file;
}

/** The processor time that a process and its children have used, in µs; Linux counts it in hundredths of a second. */
function processorTime(pid) {
  const stats = readdirSync("/proc").flatMap((entry) => {
    if (!/^\d+$/.test(entry)) return [];
    try {
      // The name in brackets may hold spaces; behind it: state, parent, …, user and system time as 12th and 13th.
      const rest = readFileSync(`/proc/${entry}/stat`, "utf8")
        .replace(/^.*\) /s, "")
        .split(" ");
      return [{ pid: Number(entry), parent: Number(rest[1]), ticks: Number(rest[11]) + Number(rest[12]) }];
    } catch {
      return [];
    }
  });
  return stats.filter((of) => of.pid === pid || of.parent === pid).reduce((sum, of) => sum + of.ticks, 0) * 10_000;
}

/** One run of wrk; gives back requests a second and the latencies in µs. */
function load(server, requests, width, body) {
  const args = ["-t", "1", "-c", String(width), "-d", `${SECONDS}s`, "--timeout", "30s", "-s", join(here, "load.lua")];
  const before = processorTime(server.pid);
  const { stdout, error } = spawnSync(
    "wrk",
    [...args, `http://127.0.0.1:${server.port}`, "--", requests, ...(body ? [body] : [])],
    {
      encoding: "utf8",
    },
  );
  if (error) throw new Error("wrk is not installed: apt-get install wrk");
  const [, count, duration, failed, p50, p99] = /RESULT (\d+) (\d+) (\d+) (\d+) (\d+)/.exec(stdout)?.map(Number) ?? [];
  if (count === undefined) throw new Error(`wrk said nothing about ${server.name}: ${stdout}`);
  const processor = (processorTime(server.pid) - before) / count;
  return { rate: (count / duration) * 1e6, failed, p50, p99, processor };
}

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

/** Asks every server for the same, in turns; prints a line each. */
async function row(title, width, servers, commandsOf, body) {
  const files = new Map();
  for (const server of servers) files.set(server, await requestsOf(server, title, commandsOf(server)));
  const runs = new Map(servers.map((server) => [server, []]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const server of round % 2 === 0 ? servers : [...servers].reverse()) {
      runs.get(server).push(load(server, files.get(server), width, body));
    }
  }
  console.log(`\n${title}, ${width} connection${width === 1 ? "" : "s"}`);
  const ours = median(runs.get(servers[0]).map((run) => run.rate));
  for (const server of servers) {
    const of = runs.get(server);
    const rate = median(of.map((run) => run.rate));
    const [p50, p99] = ["p50", "p99"].map((name) => `${(median(of.map((run) => run[name])) / 1000).toFixed(2)} ms`);
    const failed = of.reduce((sum, run) => sum + run.failed, 0);
    const ratio = server === servers[0] ? "" : `holdfast does ${(ours / rate).toFixed(2)} times as many`;
    const processor = `${median(of.map((run) => run.processor)).toFixed(0)} µs`;
    const line = `  ${server.name.padEnd(10)} ${Math.round(rate).toString().padStart(7)}/s  p50 ${p50.padStart(9)}  p99 ${p99.padStart(9)}  processor ${processor.padStart(8)}`;
    console.log(`${line}  ${ratio}${failed > 0 ? `  (${failed} failed)` : ""}`);
  }
}

const puts = (kind) => () =>
  Array.from({ length: KEYS[kind] }, (_, n) => new PutObjectCommand({ Bucket: "bench", Key: `${kind}-${n}` }));
const gets = (kind) => () =>
  Array.from({ length: KEYS[kind] }, (_, n) => new GetObjectCommand({ Bucket: "bench", Key: `${kind}-${n}` }));

/** Calls for 0 to `count` - 1, a few at a time. */
async function forEach(count, call) {
  const lanes = Array.from({ length: 16 }, async (_, lane) => {
    for (let n = lane; n < count; n += 16) await call(n);
  });
  await Promise.all(lanes);
}

/** Every object that is asked for later. */
const putAll = ({ client }, kind) =>
  forEach(KEYS[kind], (n) =>
    client.send(new PutObjectCommand({ Bucket: "bench", Key: `${kind}-${n}`, Body: bodies[kind] })),
  );

/** A bucket of its own with that many tiny objects. */
async function fill({ client }, count) {
  const Bucket = `listed-${count}`;
  await client.send(new CreateBucketCommand({ Bucket }));
  await forEach(count, (n) =>
    client.send(new PutObjectCommand({ Bucket, Key: `key-${String(n).padStart(8, "0")}`, Body: "x" })),
  );
}

/** Pages of 100 keys from places all over the bucket. */
function pages(count) {
  return Array.from({ length: 100 }, (_, n) => {
    const StartAfter = `key-${String(Math.floor((n / 100) * count)).padStart(8, "0")}`;
    return new ListObjectsV2Command({ Bucket: `listed-${count}`, MaxKeys: 100, StartAfter });
  });
}

const servers = [];
try {
  for (const name of Object.keys(PROGRAMS)) {
    if (ONLY !== undefined && !ONLY.includes(name)) continue;
    const server = await start(name);
    if (server === undefined) console.log(`${name} is not installed and left out`);
    else servers.push(server);
  }
  const nginx = ONLY === undefined || ONLY.includes("nginx") ? await startNginx() : undefined;
  const all = nginx === undefined ? servers : [...servers, nginx];
  for (const server of servers) {
    for (const kind of Object.keys(KEYS)) await putAll(server, kind);
  }
  for (const width of WIDTHS) {
    await row("put 1 KiB", width, servers, puts("small"), bodyFiles.small);
    await row("get 1 KiB", width, all, gets("small"));
    await row("put 1 MiB", width, servers, puts("large"), bodyFiles.large);
    await row("get 1 MiB", width, all, gets("large"));
  }
  for (const count of LISTED) {
    // Filling a million keys takes the others hours; what is asked there is whether ours stays flat.
    const filled = count > 10_000 ? servers.slice(0, 1) : servers;
    for (const server of filled) await fill(server, count);
    for (const width of WIDTHS) await row(`list 100 of ${count}`, width, filled, () => pages(count));
  }
  nginx?.stop();
} finally {
  for (const server of servers) server.stop();
  rmSync(folder, { recursive: true, force: true });
}
