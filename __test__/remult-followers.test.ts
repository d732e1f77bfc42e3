import assert from "node:assert/strict";
import { join } from "node:path";
import { before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import {
  BetterSqlite3S3DataProvider,
  createS3DataProvider,
  type ReplicatedSqlDatabase,
  replicas,
  type S3DataProviderOptions,
} from "holdfast";
import { describeEntity, Fields, Remult, SqlDatabase } from "remult";

import { fails, useReplicaBucket } from "./replica-bucket.js";

class Task {
  id = 0;
  title = "";
}
describeEntity(Task, "tasks", { id: Fields.autoIncrement(), title: Fields.string() });

describe("a database that others look at", () => {
  const used = useReplicaBucket(() => database.close());
  let s3: S3DataProviderOptions["s3"];
  let database: ReplicatedSqlDatabase;

  before(async () => {
    s3 = used.place("app");
    const options = {
      file: join(used.folder, "app.sqlite"),
      s3,
      sync: { mode: "sync" as const },
      handleSignals: false,
    };
    database = await createS3DataProvider(options)();
    await database.ensureSchema([new Remult(database).repo(Task).metadata]);
    await new Remult(database).repo(Task).insert({ title: "one" });
  });

  it("a follower reads with Remult, sees what comes, and writes nothing", async () => {
    const follower = await createS3DataProvider({
      file: join(used.folder, "follower.sqlite"),
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
      file: join(used.folder, "c.sqlite"),
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
