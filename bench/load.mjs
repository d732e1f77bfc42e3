// Servers under the load of wrk: the same presigned requests to each, round by round in turns, and the table of what is
// aimed at. nginx serves the same bytes without looking at a signature: the limit for a get; hashing and writing a body
// and nothing else is the limit for a put. Peers that are not installed are named and left out; CONTRIBUTING.md says how
// to get each. Takes less than ten minutes on two quiet cores.
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { hashAndWriteAlone } from "./load/alone.mjs";
import { NAMES, start, startNginx, startOpen } from "./load/servers.mjs";
import { memoryOfStreams, timesOfStates } from "./load/single.mjs";
import { load } from "./load/wrk.mjs";

const requireOfPackage = createRequire(resolve(fileURLToPath(new URL(".", import.meta.url)), "../package.json"));
const { CreateBucketCommand, ListObjectsCommand, GetObjectCommand, PutObjectCommand } =
  requireOfPackage("@aws-sdk/client-s3");
const { getSignedUrl } = requireOfPackage("@aws-sdk/s3-request-presigner");

const KIB = 1024;
const MIB = KIB * KIB;
const seconds = Number(process.env.BENCH_SECONDS ?? 2);
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 3);
const WIDTHS = (process.env.BENCH_CONNECTIONS ?? "1,64").split(",").map(Number);
const LISTED = (process.env.BENCH_LISTED ?? "1000,1000000").split(",").map(Number);
const STREAMED = Number(process.env.BENCH_STREAMED_MIB ?? 5120) * MIB;
const ONLY = process.env.BENCH_ONLY?.split(",");
const KEYS = { small: 1000, large: 64 };
const bodies = { small: randomBytes(KIB), large: randomBytes(MIB) };

const folder = mkdtempSync(join(tmpdir(), "holdfast-load-"));
const inFolder = (...path) => join(folder, ...path);
const asked = (name) => ONLY === undefined || ONLY.includes(name);
const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

/** Writes down a server's presigned requests, in a file as requests.lua reads it. */
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

/** What is compared at the end: `"put 1 KiB, 1"` to the median rate of each server. */
const results = new Map();

/** Asks every server for the same, in turns; prints a line each. `alone` gives the rate of the work without a server. */
async function row(title, width, servers, commandsOf, body, alone) {
  const files = new Map();
  for (const server of servers) files.set(server, await requestsOf(server, title, commandsOf(server)));
  const runs = new Map(servers.map((server) => [server, []]));
  const withoutServer = [];
  for (let round = 0; round < ROUNDS; round++) {
    for (const server of round % 2 === 0 ? servers : [...servers].reverse()) {
      runs.get(server).push(load(server, { width, seconds }, "file", files.get(server), ...(body ? [body] : [])));
    }
    if (alone) withoutServer.push(await alone(width));
  }
  console.log(`\n${title}, ${width} connection${width === 1 ? "" : "s"}`);
  const rates = new Map();
  for (const server of servers) {
    const of = runs.get(server);
    rates.set(server.name, median(of.map((run) => run.rate)));
    const [p50, p99] = ["p50", "p99"].map((name) => `${(median(of.map((run) => run[name])) / 1000).toFixed(2)} ms`);
    const failed = of.reduce((sum, run) => sum + run.failed, 0);
    const processor = `${median(of.map((run) => run.processor)).toFixed(0)} µs`;
    const rate = Math.round(rates.get(server.name)).toString().padStart(7);
    const line = `  ${server.name.padEnd(10)} ${rate}/s  p50 ${p50.padStart(9)}  p99 ${p99.padStart(9)}`;
    console.log(`${line}  processor ${processor.padStart(8)}${failed > 0 ? `  (${failed} failed)` : ""}`);
  }
  if (alone) {
    rates.set("alone", median(withoutServer));
    console.log(
      `  ${"alone".padEnd(10)} ${Math.round(rates.get("alone")).toString().padStart(7)}/s  hashed and written`,
    );
  }
  results.set(`${title}, ${width}`, rates);
}

const commands = (Command, kind) => () =>
  Array.from({ length: KEYS[kind] }, (_, n) => new Command({ Bucket: "bench", Key: `${kind}-${n}` }));

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

const keyOf = (n) => `key-${String(n).padStart(8, "0")}`;

/** A bucket of its own with that many tiny objects. */
async function fill({ client }, count) {
  const Bucket = `listed-${count}`;
  await client.send(new CreateBucketCommand({ Bucket }));
  await forEach(count, (n) => client.send(new PutObjectCommand({ Bucket, Key: keyOf(n), Body: "x" })));
}

/** Pages of 100 keys from places all over the bucket; in version 1, since s3rver fails on that of version 2. */
function pages(count) {
  return Array.from({ length: 100 }, (_, n) => {
    const Marker = keyOf(Math.floor((n / 100) * count));
    return new ListObjectsCommand({ Bucket: `listed-${count}`, MaxKeys: 100, Marker });
  });
}

async function putsAndGets(servers, nginx) {
  const all = nginx === undefined ? servers : [...servers, nginx];
  for (const width of WIDTHS) {
    for (const [kind, size] of [
      ["small", "1 KiB"],
      ["large", "1 MiB"],
    ]) {
      const body = inFolder(kind);
      writeFileSync(body, bodies[kind]);
      const alone = (width) =>
        hashAndWriteAlone(inFolder("alone"), bodies[kind], { width, seconds: seconds / 2, keys: KEYS[kind] });
      await row(`put ${size}`, width, servers, commands(PutObjectCommand, kind), body, alone);
      await row(`get ${size}`, width, all, commands(GetObjectCommand, kind));
    }
  }
}

/** A large bucket is filled without credentials, since a million signed URLs take longer than the puts. */
async function listLarge(count) {
  const directory = inFolder(`holdfast-${count}`);
  const open = await startOpen(directory, `listed-${count}`);
  const begun = performance.now();
  for (let from = 0; from < count; ) {
    const run = load(open, { width: 64, seconds: 5 }, "keys", `listed-${count}`, String(from), String(count - 1));
    if (run.failed > 0) throw new Error(`${run.failed} puts failed`);
    from += Math.max(run.count - 64, 1); // what was under way at the end is put again
  }
  console.log(`\n${count} keys were put in ${((performance.now() - begun) / 1000).toFixed(0)} s`);
  await open.stop("SIGTERM");
  const begunAgain = performance.now();
  const server = await start("holdfast", directory);
  console.log(
    `a server over them answered after ${(performance.now() - begunAgain).toFixed(0)} ms, with Node's own start`,
  );
  for (const width of WIDTHS) await row(`list 100 of ${count}`, width, [server], () => pages(count));
  await server.stop();
}

/** Each aim of the project beside what was seen. */
function printAims() {
  const small = LISTED[0];
  const large = LISTED.at(-1);
  const best = (rates) =>
    Math.max(...[...rates].filter(([name]) => !["holdfast", "nginx", "alone"].includes(name)).map(([, rate]) => rate));
  const aims = [
    ["put 1 KiB", "the best peer", 5, best],
    ["get 1 KiB", "the best peer", 5, best],
    ["get 1 KiB", "nginx", 0.3, (rates) => rates.get("nginx")],
    ["get 1 MiB", "nginx", 0.8, (rates) => rates.get("nginx")],
    ["put 1 MiB", "hashing and writing alone", 0.8, (rates) => rates.get("alone")],
    [`list 100 of ${small}`, "the best peer", 10, best],
    [
      `list 100 of ${large}`,
      `ours of ${small}`,
      0.9,
      (_, width) => results.get(`list 100 of ${small}, ${width}`)?.get("holdfast"),
    ],
  ];
  console.log("\nAims: ours, as a multiple of");
  for (const [title, what, aim, of] of aims) {
    for (const width of WIDTHS) {
      const rates = results.get(`${title}, ${width}`);
      const ratio = rates && rates.get("holdfast") / of(rates, width);
      if (!Number.isFinite(ratio)) continue;
      const met = ratio >= aim ? "met" : "missed";
      console.log(
        `  ${title.padEnd(20)} ${String(width).padStart(3)} ${what.padEnd(26)} ${ratio.toFixed(2).padStart(7)}  aim ${aim}  ${met}`,
      );
    }
  }
}

const servers = [];
let nginx;
try {
  for (const inMemory of [false, true]) {
    const { start, reset, restore } = timesOfStates(inFolder("states"), inMemory);
    const shown = [start, reset, restore].map((ms) => `${ms.toFixed(2)} ms`);
    console.log(
      `${inMemory ? "in memory" : "in a folder"}: start to first answer ${shown[0]}, reset() ${shown[1]}, restore() of 100 objects ${shown[2]}`,
    );
  }
  for (const name of NAMES.filter(asked)) {
    const server = await start(name, inFolder(name));
    if (server === undefined) console.log(`${name} is not installed and left out`);
    else servers.push(server);
  }
  const files = Object.keys(KEYS).flatMap((kind) =>
    Array.from({ length: KEYS[kind] }, (_, n) => [`${kind}-${n}`, bodies[kind]]),
  );
  if (asked("nginx")) nginx = await startNginx(inFolder("nginx"), files);
  for (const server of servers) for (const kind of Object.keys(KEYS)) await putAll(server, kind);
  if (servers[0]?.name === "holdfast" && STREAMED > 0) {
    const grown = await memoryOfStreams(servers[0], STREAMED);
    console.log(
      `memory over ${grown.before} MiB while ${STREAMED / MIB} MiB stream in: ${grown.in}; out: ${grown.out}`,
    );
  }
  await putsAndGets(servers, nginx);
  for (const count of LISTED.filter((count) => count <= 10_000)) {
    for (const server of servers) await fill(server, count);
    for (const width of WIDTHS) await row(`list 100 of ${count}`, width, servers, () => pages(count));
  }
  // Filling a million keys takes the others hours; what is asked there is whether ours stays flat.
  for (const count of LISTED.filter((count) => count > 10_000)) if (asked("holdfast")) await listLarge(count);
  printAims();
} finally {
  nginx?.stop();
  for (const server of servers) server.stop();
  rmSync(folder, { recursive: true, force: true });
}
