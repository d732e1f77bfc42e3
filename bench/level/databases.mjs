// The databases that are compared, each with the same calls: put, get, getMany, batch, scan, reopen, close.
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

process.env.AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE = "1";
const here = resolve(import.meta.dirname, "..");
const require = createRequire(join(here, "package.json"));
const { S3Level } = createRequire(resolve(here, "../package.json"))("holdfast/level");

/** S3Level in one of its layouts. */
export function holdfast({ endpoint, credentials }, layout) {
  const open = () => new S3Level(`bench/${layout}`, { s3: { endpoint, credentials }, layout });
  return level(open, `holdfast ${layout}`);
}

/** classic-level on the local disk: what is possible without a network. */
export async function classicLevel() {
  const { ClassicLevel } = require("classic-level");
  const folder = mkdtempSync(join(tmpdir(), "holdfast-bench-"));
  const database = await level(() => new ClassicLevel(folder), "classic-level");
  const end = async () => {
    await database.close();
    rmSync(folder, { recursive: true });
  };
  return { ...database, end };
}

/** Any database of abstract-level. */
async function level(open, name) {
  let db = open();
  await db.open();
  const close = () => db.close();
  return {
    name,
    put: (key, value) => db.put(key, value),
    get: (key) => db.get(key),
    getMany: async (keys) => (await db.getMany(keys)).filter((value) => value !== undefined).length,
    batch: (puts) => db.batch(puts),
    scan: async (options) => (await db.iterator(options).all()).length,
    async reopen() {
      await db.close();
      db = open();
      await db.open();
    },
    close,
    end: close,
    requests: () => Object.values(db.stats?.() ?? {}).reduce((sum, count) => sum + count, 0),
  };
}

/** s3leveldown 2.2.2, the predecessor. */
export function s3leveldown({ endpoint, credentials }) {
  const [AWS, S3LevelDown, levelup] = ["aws-sdk", "s3leveldown", "levelup"].map((name) => require(name));
  const client = new AWS.S3({ ...credentials, endpoint, s3ForcePathStyle: true, maxRetries: 0 });
  const db = levelup(new S3LevelDown("bench/s3leveldown", client));
  const close = () => db.close();
  return {
    name: "s3leveldown",
    put: (key, value) => db.put(key, value),
    get: (key) => db.get(key),
    // Its own getMany is none.
    getMany: async (keys) => (await Promise.all(keys.map((key) => db.get(key)))).length,
    batch: (puts) => db.batch(puts),
    async scan({ gte, lt, reverse = false, limit = -1 }) {
      let count = 0;
      const stream = db.createReadStream({ gte, lt, reverse, limit });
      stream.on("data", () => count++);
      await once(stream, "end");
      return count;
    },
    reopen: async () => {},
    close,
    end: close,
  };
}

/** The official binding of SlateDB, which the layout lsm is built on too. */
export async function slatedb({ endpoint, credentials }) {
  Object.assign(process.env, {
    AWS_ENDPOINT: endpoint,
    AWS_ALLOW_HTTP: "true",
    AWS_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  });
  const { DbBuilder, DurabilityLevel, IterationOrder, ObjectStore, WriteBatch } = await import("@slatedb/uniffi");
  const open = () => new DbBuilder("slatedb", ObjectStore.resolve("s3://bench")).build();
  let db = await open();
  const bytes = (text) => Buffer.from(text);
  const close = () => db.shutdown();
  return {
    name: "@slatedb/uniffi",
    put: (key, value) => db.put(bytes(key), bytes(value)),
    get: (key) => db.get(bytes(key)),
    getMany: async (keys) => (await Promise.all(keys.map((key) => db.get(bytes(key))))).length,
    async batch(puts) {
      const batch = new WriteBatch();
      for (const { key, value } of puts) batch.put(bytes(key), bytes(value));
      await db.write(batch);
    },
    async scan({ gte, lt, reverse = false, limit = Number.POSITIVE_INFINITY }) {
      const range = { start: bytes(gte), start_inclusive: true, end: bytes(lt), end_inclusive: false };
      const rows = await db.scan_with_options(range, {
        durability_filter: DurabilityLevel.Memory,
        dirty: false,
        read_ahead_bytes: 1 << 20,
        cache_blocks: true,
        max_fetch_tasks: 4,
        order: reverse ? IterationOrder.Descending : IterationOrder.Ascending,
      });
      let count = 0;
      while (count < limit) {
        const row = await rows.next();
        if (row === undefined) break;
        // What the others give: text.
        Buffer.from(row.key).toString();
        Buffer.from(row.value).toString();
        count++;
      }
      return count;
    },
    async reopen() {
      await db.shutdown();
      db = await open();
    },
    close,
    end: close,
  };
}
