// Call shapes that the documents print: each type-checks, and what this release has runs as printed.
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { createStore, type PersistAdapter, SmartStorage } from "holdfast";

const MIB = 1024 * 1024;
let folder: string;
let storage: SmartStorage;
let endpoint: string;
const credentials = { accessKeyId: "STORAGE", secretAccessKey: "STORAGE" };

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "holdfast-shapes-"));
  storage = await SmartStorage.createAndStart({
    server: { port: 0, address: "127.0.0.1", silent: true },
    storage: { directory: join(folder, "buckets") },
    auth: { enabled: true },
    buckets: ["my-app-assets"],
  });
  const descriptor = await storage.getStorageDescriptor();
  endpoint = `http://${descriptor.endpoint}:${descriptor.port}`;
});
after(async () => {
  await storage.stop();
  await rm(folder, { recursive: true, force: true });
});

describe("documented shapes", () => {
  it("a SQLite store with a path", async () => {
    const store = await createStore({ name: "my-app", adapter: "sqlite", path: join(folder, "data/my-app.db") });
    await store.records.put("a", 1);
    await store.close();
  });

  it("a bucket nested under s3, of which a large file is put in parts, transparently", async () => {
    const file = join(folder, "backup.tar.gz");
    await writeFile(file, Buffer.alloc(20 * MIB, 7));
    const store = await createStore("assets", {
      adapter: "s3",
      s3: {
        bucket: "my-app-assets",
        region: "us-east-1",
        endpoint,
        credentials: { accessKeyId: credentials.accessKeyId, secretAccessKey: credentials.secretAccessKey },
      },
    });
    const buffer = await readFile(file);
    await store.blobs.put("backups/2026-05-11.tar.gz", buffer);
    const parts = storage.requests.filter(({ operation }) => operation === "UploadPart");
    assert.equal(parts.length, 3);
    assert.ok(parts.every(({ bytesIn }) => bytesIn >= 4 * MIB && bytesIn < 9 * MIB));
    const url = await store.blobs.presign("backups/2026-05-11.tar.gz", { expiresIn: 3600, method: "GET" });
    assert.equal((await (await fetch(url)).arrayBuffer()).byteLength, buffer.length);
    await store.close();
  });

  it("5 MiB in one request, a byte more in parts", async () => {
    const store = await createStore("assets", { adapter: "s3", bucket: "my-app-assets", endpoint, credentials });
    for (const [bytes, parts] of [
      [5 * MIB, 0],
      [5 * MIB + 1, 2],
    ] as const) {
      storage.requests.clear();
      await store.blobs.put("near", Buffer.alloc(bytes));
      assert.equal(storage.requests.filter(({ operation }) => operation === "UploadPart").length, parts);
      assert.equal((await store.blobs.head("near"))?.size, bytes);
    }
    await store.close();
  });

  it("a part size and a concurrency, as set", async () => {
    const store = await createStore("assets", {
      adapter: "s3",
      s3: { bucket: "my-app-assets", endpoint, credentials, multipart: { partSize: 16 * MIB, concurrency: 4 } },
    });
    storage.requests.clear();
    await store.blobs.put("large", Buffer.alloc(33 * MIB));
    assert.equal(storage.requests.filter(({ operation }) => operation === "UploadPart").length, 3);
    await store.close();
  });

  it("a bucket with flat settings, whose records are JSON objects under a prefix", async () => {
    const store = await createStore({
      name: "my-app",
      adapter: "s3",
      bucket: "my-app-assets",
      region: "us-east-1",
      endpoint,
      credentials,
      prefixes: { records: "people/" },
    });
    await store.records.put("ada", { name: "Ada" });
    const raw = await createStore("raw", { adapter: "s3", bucket: "my-app-assets", endpoint, credentials });
    const object = await (await raw.blobs.get("people/ada")).json<{ value: unknown; version: number }>();
    assert.deepEqual([object.value, object.version], [{ name: "Ada" }, 1]);
    await raw.close();
    await store.close();
  });

  it("an adapter of one's own", async () => {
    const values = new Map<string, unknown>();
    const myAdapter: PersistAdapter = {
      async get(key: string) {
        return values.get(key);
      },
      async put(key: string, value: unknown) {
        values.set(key, value);
      },
      async delete(key: string) {
        values.delete(key);
      },
      async list(prefix: string) {
        return [...values].filter(([key]) => key.startsWith(prefix)).map(([key, value]) => ({ key, value }));
      },
    };
    const store = await createStore({ name: "my-app", adapter: myAdapter });
    await store.records.put("a", { n: 1 });
    assert.deepEqual(
      (await store.records.list()).map(({ value }) => value),
      [{ n: 1 }],
    );
    await store.close();
  });

  it("Postgres type-checks, and says that nothing listens there; P2P opens", async () => {
    const { PG_PASSWORD = "secret" } = process.env;
    const connection = { host: "localhost", port: 1, database: "persist", user: "persist", password: PG_PASSWORD };
    const postgres = createStore({ name: "my-app", adapter: "postgres", connection, pool: { max: 20 } });
    await assert.rejects(postgres, { name: "ConnectionError" });
    const discovery = { method: "mdns", topic: "my-app-sync" } as const;
    await using peer = await createStore({ name: "my-app", adapter: "p2p", discovery, path: join(folder, "peer.db") });
    await peer.kv.set("theme", "dark");
    assert.equal(await peer.kv.get("theme"), "dark");
  });
});
