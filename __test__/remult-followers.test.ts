import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import {
  BetterSqlite3S3DataProvider,
  createS3DataProvider,
  type PersistError,
  type ReplicatedSqlDatabase,
  replicas,
  type S3DataProviderOptions,
  SmartStorage,
} from "holdfast";
import { describeEntity, Fields, Remult, SqlDatabase } from "remult";

class Task {
  id = 0;
  title = "";
}
describeEntity(Task, "tasks", { id: Fields.autoIncrement(), title: Fields.string() });

describe("a database that others look at", () => {
  let folder: string;
  let storage: SmartStorage;
  let s3: S3DataProviderOptions["s3"];
  let database: ReplicatedSqlDatabase;

  const fails = (call: Promise<unknown>, name: string, code: string) =>
    assert.rejects(call, (error: PersistError) => {
      assert.deepEqual([error.name, error.code], [name, code], error.message);
      return true;
    });

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "holdfast-follower-"));
    storage = await SmartStorage.createAndStart({
      server: { port: 0, address: "127.0.0.1", silent: true },
      storage: { directory: join(folder, "buckets") },
      buckets: ["bucket"],
    });
    const { endpoint, port, accessKey, accessSecret } = await storage.getStorageDescriptor();
    s3 = {
      bucket: "bucket",
      databaseName: "app",
      endpoint: `http://${endpoint}:${port}`,
      forcePathStyle: true,
      credentials: { accessKeyId: accessKey, secretAccessKey: accessSecret },
    };
    const options = { file: join(folder, "app.sqlite"), s3, sync: { mode: "sync" as const }, handleSignals: false };
    database = await createS3DataProvider(options)();
    await database.ensureSchema([new Remult(database).repo(Task).metadata]);
    await new Remult(database).repo(Task).insert({ title: "one" });
  });
  after(async () => {
    await database.close();
    await storage.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it("a follower reads with Remult, sees what comes, and writes nothing", async () => {
    const follower = await createS3DataProvider({
      file: join(folder, "follower.sqlite"),
      s3,
      readOnly: true,
      sync: { interval: 5 },
      handleSignals: false,
    })();
    const tasks = new Remult(follower).repo(Task);
    await follower.ensureSchema([tasks.metadata]);
    assert.deepEqual(
      (await tasks.find()).map(({ title }) => title),
      ["one"],
    );
    await new Remult(database).repo(Task).insert({ title: "two" });
    const { position } = database.status();
    while (follower.status().position < position) await sleep(5);
    assert.deepEqual(
      (await tasks.find()).map(({ title }) => title),
      ["one", "two"],
    );
    await fails(tasks.insert({ title: "three" }), "CapabilityError", "READ_ONLY");
    await fails(
      follower.transaction(async () => undefined),
      "CapabilityError",
      "READ_ONLY",
    );
    await fails(follower.snapshot(), "CapabilityError", "READ_ONLY");
    await follower.sync();
    assert.equal(follower.status().lastError, undefined);
    await follower.close();
    await fails(follower.execute("select 1"), "ClosedError", "CLOSED");
  });

  it("replicas() names generations, positions, sizes and the lease", async () => {
    await database.snapshot();
    const found = await replicas({ s3 });
    const { position, generation, holder } = database.status();
    assert.equal(found.position, position);
    assert.ok(Date.now() - found.time.getTime() < 60_000);
    assert.equal(found.lease?.holder, holder);
    assert.ok(found.lease.expiresAt > found.lease.acquiredAt);
    const newest = found.generations.at(-1);
    assert.equal(newest?.id, generation);
    assert.ok(newest.snapshot !== undefined && newest.snapshot.size >= 4096 && newest.snapshot.position <= position);
    await fails(replicas({ s3: { ...s3, bucket: "nobody" } }), "NotFoundError", "NO_SUCH_BUCKET");
  });

  it("BetterSqlite3S3DataProvider is the same database under the name of the package it succeeds", async () => {
    const other = { ...s3, databaseName: "classes" };
    const provider = new BetterSqlite3S3DataProvider({
      file: join(folder, "c.sqlite"),
      s3: other,
      handleSignals: false,
    });
    assert.equal(provider.isInitialized, false);
    assert.throws(() => provider.generation, { name: "ClosedError" });
    await provider.init();
    const sql = new SqlDatabase(provider);
    const tasks = new Remult(sql).repo(Task);
    await sql.ensureSchema([tasks.metadata]);
    await tasks.insert({ title: "kept" });
    await assert.rejects(
      sql.transaction(async (inside) => {
        await new Remult(inside).repo(Task).insert({ title: "undone" });
        throw new Error("on purpose");
      }),
      /on purpose/,
    );
    await provider.forceSync();
    await provider.sync.snapshot();
    assert.equal(provider.generation, provider.sync.getGeneration());
    assert.deepEqual(
      (await tasks.find()).map(({ title }) => title),
      ["kept"],
    );
    await provider.close();
    assert.equal((await replicas({ s3: other })).lease, undefined);
  });
});
