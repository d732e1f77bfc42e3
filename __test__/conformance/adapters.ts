import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { type PersistAdapter, type PostgresOptions, type S3Options, SmartStorage, type StoreOptions } from "holdfast";

import { PostgresServer } from "../postgres-server.js";

/** An adapter under test: how to open a store on it, again and again on the same data. */
export interface AdapterUnderTest {
  name: string;
  /** Makes room for one store. */
  prepare(): Promise<Room>;
}

/** Room for one store. */
export interface Room {
  /** Options that open the same data each time. */
  options: StoreOptions;
  /** Throws the data away. */
  clear(): Promise<void>;
}

let server: Promise<SmartStorage> | undefined;
let postgres: Promise<PostgresServer> | undefined;
let directory: string | undefined;
let buckets = 0;
let schemas = 0;

after(async () => {
  await (await server)?.stop();
  await (await postgres)?.stop();
  if (directory !== undefined) await rm(directory, { recursive: true, force: true });
});

/** Settings of a bucket of its own, on one server for all that asks for signatures. */
export async function freshBucket(): Promise<S3Options & { bucket: string }> {
  server ??= startServer();
  const storage = await server;
  buckets += 1;
  const bucket = `bucket-${buckets}`;
  await storage.createBucket(bucket);
  const { endpoint, port, accessKey, accessSecret } = await storage.getStorageDescriptor();
  const credentials = { accessKeyId: accessKey, secretAccessKey: accessSecret };
  return { bucket, endpoint: `http://${endpoint}:${port}`, credentials };
}

/** Settings of a schema of its own, on one server for all. */
export async function freshSchema(): Promise<PostgresOptions & { schema: string }> {
  postgres ??= PostgresServer.start();
  schemas += 1;
  return { connection: (await postgres).connection(), schema: `store_${schemas}` };
}

async function startServer(): Promise<SmartStorage> {
  directory = await mkdtemp(join(tmpdir(), "holdfast-s3-"));
  return SmartStorage.createAndStart({
    server: { port: 0, address: "127.0.0.1", silent: true },
    storage: { directory },
    auth: { enabled: true },
  });
}

/** Every adapter that the suite runs on. */
export const ADAPTERS: readonly AdapterUnderTest[] = [
  {
    name: "memory",
    prepare: async () => ({ options: { adapter: "memory" }, clear: async () => {} }),
  },
  {
    name: "sqlite",
    prepare: async () => {
      const folder = await mkdtemp(join(tmpdir(), "holdfast-"));
      return {
        options: { adapter: "sqlite", path: join(folder, "store.db") },
        clear: () => rm(folder, { recursive: true, force: true }),
      };
    },
  },
  {
    name: "s3",
    prepare: async () => ({ options: { adapter: "s3", s3: await freshBucket() }, clear: async () => {} }),
  },
  {
    name: "postgres",
    prepare: async () => ({
      options: { adapter: "postgres", postgres: { ...(await freshSchema()), pool: { max: 3 } } },
      clear: async () => {},
    }),
  },
  {
    name: "p2p, a peer alone",
    prepare: async () => {
      const folder = await mkdtemp(join(tmpdir(), "holdfast-"));
      return {
        options: {
          adapter: "p2p",
          path: join(folder, "store.db"),
          discovery: { topic: "conformance" },
          secret: "of the suite",
          listen: "127.0.0.1:0",
        },
        clear: () => rm(folder, { recursive: true, force: true }),
      };
    },
  },
  {
    name: "sqlite with blobs on s3",
    prepare: async () => {
      const folder = await mkdtemp(join(tmpdir(), "holdfast-"));
      const s3 = { ...(await freshBucket()), prefix: "some/where/" };
      return {
        options: { path: join(folder, "store.db"), blobs: { adapter: "s3", s3 } },
        clear: () => rm(folder, { recursive: true, force: true }),
      };
    },
  },
  {
    name: "a custom adapter over a Map",
    prepare: async () => ({ options: { adapter: mapAdapter() }, clear: async () => {} }),
  },
  {
    name: "a custom adapter over files",
    prepare: async () => {
      const folder = await mkdtemp(join(tmpdir(), "holdfast-"));
      return {
        options: { adapter: fileAdapter(folder) },
        clear: () => rm(folder, { recursive: true, force: true }),
      };
    },
  },
];

/** The four methods over a folder: a file a key, named by the key's digest. `list` gives a promise of an array. */
function fileAdapter(folder: string): PersistAdapter {
  const fileOf = (key: string) => join(folder, createHash("sha256").update(key).digest("hex"));
  const absent = (error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
    return undefined;
  };
  return {
    async get(key: string) {
      const text = await readFile(fileOf(key), "utf8").catch(absent);
      return text === undefined ? undefined : JSON.parse(text).value;
    },
    async put(key: string, value: unknown) {
      await writeFile(fileOf(key), JSON.stringify({ key, value }));
    },
    async delete(key: string) {
      await rm(fileOf(key), { force: true });
    },
    async list(prefix: string) {
      const files = await readdir(folder);
      const texts = await Promise.all(files.map((file) => readFile(join(folder, file), "utf8")));
      return texts.map((text) => JSON.parse(text)).filter(({ key }) => key.startsWith(prefix));
    },
  };
}

/** The four methods over a Map of JSON texts, listed from the last written to the first. */
export function mapAdapter(): PersistAdapter {
  const map = new Map<string, string>();
  return {
    async get(key: string) {
      const text = map.get(key);
      return text === undefined ? undefined : JSON.parse(text);
    },
    async put(key: string, value: unknown) {
      map.set(key, JSON.stringify(value));
    },
    async delete(key: string) {
      map.delete(key);
    },
    async *list(prefix: string) {
      for (const [key, text] of [...map].reverse()) if (key.startsWith(prefix)) yield { key, value: JSON.parse(text) };
    },
  };
}
