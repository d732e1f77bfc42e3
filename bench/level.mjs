// S3Level beside s3leveldown on the same data and the same server, which answers as late as S3 does: 15 ms for a get,
// 30 ms for a put, a list and a delete. The server runs in a process of its own.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { compare } from "./measure.mjs";

process.env.AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE = "1";
const here = fileURLToPath(new URL(".", import.meta.url));
const require = createRequire(join(here, "package.json"));
const { S3Level } = createRequire(resolve(here, "../package.json"))("holdfast/level");
const [AWS, S3LevelDown, levelup] = ["aws-sdk", "s3leveldown", "levelup"].map((name) => require(name));

const KEYS = Number(process.env.BENCH_KEYS ?? 300);
const BATCH = Number(process.env.BENCH_BATCH ?? 100);
const folder = mkdtempSync(join(tmpdir(), "holdfast-bench-"));
const SERVER = `
  const { SmartStorage } = require(${JSON.stringify(resolve(here, "../dist/index.js"))});
  SmartStorage.createAndStart({
    server: { port: 0, address: "127.0.0.1", silent: true },
    storage: { directory: ${JSON.stringify(folder)} },
    buckets: ["bench"],
  }).then(async (storage) => {
    storage.faults.add({ operation: "GetObject", delayMs: 15 });
    for (const operation of ["PutObject", "ListObjectsV2", "DeleteObject", "DeleteObjects"]) {
      storage.faults.add({ operation, delayMs: 30 });
    }
    console.log((await storage.getStorageDescriptor()).port);
  });`;

/** Reads a stream of levelup to its end; gives back how many entries it had. */
async function counted(stream) {
  let count = 0;
  stream.on("data", () => count++);
  await once(stream, "end");
  return count;
}

function expectEqual(found, expected) {
  if (found !== expected) throw new Error(`${found} entries where ${expected} were expected`);
}

const server = spawn(process.execPath, ["-e", SERVER], { stdio: ["ignore", "pipe", "inherit"] });
const [port] = await once(server.stdout, "data");
const endpoint = `http://127.0.0.1:${String(port).trim()}`;
const keys = { accessKeyId: "STORAGE", secretAccessKey: "STORAGE" };
const sdk = new AWS.S3({ ...keys, endpoint, s3ForcePathStyle: true, maxRetries: 0 });

const ours = new S3Level("bench/data", { endpoint, credentials: keys });
await ours.open();
const theirs = levelup(new S3LevelDown("bench/data", sdk));
const value = "v".repeat(100);
const writes = (prefix, count) =>
  Array.from({ length: count }, (_, n) => ({ type: "put", key: `${prefix}${String(n).padStart(6, "0")}`, value }));
await ours.batch(writes("k", KEYS));

const few = { rounds: 3, warmups: 1 };
const range = { gte: "k", lt: "l" };
await compare(
  `scan of ${KEYS} entries with values`,
  { ...few, operations: KEYS },
  {
    holdfast: async () => expectEqual((await ours.iterator(range).all()).length, KEYS),
    s3leveldown: async () => expectEqual(await counted(theirs.createReadStream(range)), KEYS),
  },
);
await compare(
  `scan of ${KEYS} keys`,
  { ...few, operations: KEYS },
  {
    holdfast: async () => expectEqual((await ours.keys(range).all()).length, KEYS),
    s3leveldown: async () => expectEqual(await counted(theirs.createKeyStream(range)), KEYS),
  },
);
await compare("the last 10 entries", few, {
  holdfast: async () => expectEqual((await ours.iterator({ ...range, reverse: true, limit: 10 }).all()).length, 10),
  s3leveldown: async () =>
    expectEqual(await counted(theirs.createReadStream({ ...range, reverse: true, limit: 10 })), 10),
});
await compare(
  `batch of ${BATCH} puts`,
  { ...few, operations: BATCH },
  {
    holdfast: () => ours.batch(writes("b", BATCH)),
    s3leveldown: () => theirs.batch(writes("b", BATCH)),
  },
);
await compare(
  "one put",
  { rounds: 15 },
  {
    holdfast: () => ours.put("one", value),
    s3leveldown: () => theirs.put("one", value),
  },
);
await compare(
  "one get",
  { rounds: 15 },
  {
    holdfast: () => ours.get("one"),
    s3leveldown: () => theirs.get("one"),
  },
);

await ours.close();
await theirs.close();
server.kill();
await once(server, "exit");
rmSync(folder, { recursive: true });
