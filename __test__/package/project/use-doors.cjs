// What a user does with the four doors, given by whoever loaded them.
const assert = require("node:assert/strict");
const { mkdtempSync, rmSync } = require("node:fs");
const { tmpdir } = require("node:os");
const { join } = require("node:path");

async function useStore(createStore, folder) {
  const store = await createStore({ name: "shop", adapter: "sqlite", path: join(folder, "shop.db") });
  const born = new Date("1815-12-10");
  await store.records.put("users/ada", { name: "Ada", born });
  assert.deepEqual((await store.records.get("users/ada")).value, { name: "Ada", born });
  await store.blobs.put("photo", Buffer.alloc(1_000_000, 7));
  assert.equal((await (await store.blobs.get("photo")).bytes()).length, 1_000_000);
  assert.equal(await store.kv.increment("visits", 2), 2);
  await store.events.append("users/ada", { type: "registered" });
  await store.close();
}

async function useRemult(createS3DataProvider, { describeEntity, Fields, Remult }, folder, s3) {
  class Task {}
  describeEntity(Task, "tasks", { id: Fields.autoIncrement(), title: Fields.string() });
  const file = join(folder, "tasks.sqlite");
  const open = createS3DataProvider({ file, s3: { ...s3, databaseName: "tasks" }, sync: { mode: "sync" } });
  const database = await open();
  const tasks = new Remult(database).repo(Task);
  await database.ensureSchema([tasks.metadata]);
  await tasks.insert({ title: "Write it down" });
  await database.close();
  const elsewhere = { file: join(folder, "elsewhere.sqlite"), s3: { ...s3, databaseName: "tasks" } };
  const restored = await createS3DataProvider(elsewhere)();
  assert.equal((await new Remult(restored).repo(Task).findFirst()).title, "Write it down");
  await restored.close();
}

async function useLevel(S3Level, S3LevelDown, s3) {
  const db = new S3Level("assets/level", s3);
  await db.batch([
    { type: "put", key: "a", value: "1" },
    { type: "put", key: "b", value: "2" },
  ]);
  assert.deepEqual(await db.keys({ reverse: true }).all(), ["b", "a"]);
  await db.close();
  const down = new S3LevelDown("assets/level", s3);
  await new Promise((done, fail) => down.open((error) => (error ? fail(error) : done())));
  const value = await new Promise((done, fail) => down.get("b", (error, found) => (error ? fail(error) : done(found))));
  assert.equal(String(value), "2");
  await new Promise((done, fail) => down.close((error) => (error ? fail(error) : done())));
}

/** Uses all four doors once, in a new folder of the system's temporary folder, and prints "all doors". */
exports.useDoors = async ({ SmartStorage, createStore, createS3DataProvider, S3Level, S3LevelDown, remult }) => {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-doors-"));
  const storage = await SmartStorage.createAndStart({
    server: { port: 0, address: "127.0.0.1", silent: true },
    storage: { directory: join(folder, "buckets") },
    buckets: ["assets"],
  });
  const { endpoint, port, accessKey, accessSecret } = await storage.getStorageDescriptor();
  const s3 = {
    bucket: "assets",
    endpoint: `http://${endpoint}:${port}`,
    forcePathStyle: true,
    credentials: { accessKeyId: accessKey, secretAccessKey: accessSecret },
  };
  await useStore(createStore, folder);
  if (remult !== undefined) await useRemult(createS3DataProvider, remult, folder, s3);
  if (S3Level !== undefined) await useLevel(S3Level, S3LevelDown, s3);
  await storage.stop();
  rmSync(folder, { recursive: true });
  console.log(`all doors on ${process.version} ${process.arch}`);
};
