import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import {
  createS3DataProvider,
  type PersistError,
  type ReplicatedSqlDatabase,
  type S3DataProviderOptions,
  SmartStorage,
} from "holdfast";

describe("createS3DataProvider on a bucket that fails", () => {
  let folder: string;
  let storage: SmartStorage;
  let database: ReplicatedSqlDatabase;
  let round = 0;

  const optionsOf = async (
    machine: string,
    sync: NonNullable<S3DataProviderOptions["sync"]>,
  ): Promise<S3DataProviderOptions> => {
    const { endpoint, port, accessKey, accessSecret } = await storage.getStorageDescriptor();
    return {
      file: join(folder, `${machine}-${round}`, "app.sqlite"),
      s3: {
        bucket: "bucket",
        databaseName: `database-${round}`,
        endpoint: `http://${endpoint}:${port}`,
        forcePathStyle: true,
        credentials: { accessKeyId: accessKey, secretAccessKey: accessSecret },
      },
      sync,
      handleSignals: false,
    };
  };
  /** What another machine finds in the bucket. */
  const stored = async (): Promise<number[]> => {
    const other = await createS3DataProvider(await optionsOf("other", { forceLock: true }))();
    const { rows } = await other.execute("select n from t order by rowid");
    await other.close();
    return rows.map((row) => row.n);
  };
  const insert = (n: number) => database.execute(`insert into t values (${n})`);
  const segmentPuts = () =>
    storage.requests.filter(({ key, operation }) => operation === "PutObject" && key?.endsWith(".seg") === true);

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "holdfast-remult-faults-"));
    storage = await SmartStorage.createAndStart({
      server: { port: 0, address: "127.0.0.1", silent: true },
      storage: { directory: join(folder, "buckets") },
      buckets: ["bucket"],
    });
  });
  after(async () => {
    await storage.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(async () => {
    round += 1;
    database = await createS3DataProvider(await optionsOf("one", { mode: "sync" }))();
    await database.execute("create table t (n integer)");
  });
  afterEach(async () => {
    storage.faults.clear();
    await database.close().catch(() => undefined);
  });

  it("closes, and says why, when the last snapshot finds the bucket silent", { timeout: 60_000 }, async () => {
    await insert(1);
    storage.faults.add({ error: "ServiceUnavailable" });
    await assert.rejects(database.close(), (error: PersistError) => error.name === "ConnectionError");
    storage.faults.clear();
    assert.deepEqual(await stored(), [1]);
  });

  it("closes while a snapshot is under way that the bucket does not take", { timeout: 60_000 }, async () => {
    await insert(1);
    storage.faults.add({ error: "ServiceUnavailable" });
    const snapshot = database.snapshot().catch((error: PersistError) => error.name);
    while (database.status().lastError === undefined) await sleep(20);
    await assert.rejects(database.close(), (error: PersistError) => error.name === "ConnectionError");
    assert.ok(["ConnectionError", "ClosedError"].includes(String(await snapshot)));
    storage.faults.clear();
    assert.deepEqual(await stored(), [1]);
  });

  it("a put that was stored and cut off is acknowledged once", async () => {
    storage.faults.add({ operation: "PutObject", cut: "after", count: 1 });
    await insert(1);
    await insert(2);
    assert.deepEqual(await stored(), [1, 2]);
  });

  it("a put that was cut off before is sent again", async () => {
    storage.faults.add({ operation: "PutObject", cut: "before", count: 1 });
    await insert(1);
    assert.deepEqual(await stored(), [1]);
  });

  it("a bucket that asks to slow down is asked again", async () => {
    storage.faults.add({ operation: "PutObject", error: "SlowDown", count: 2 });
    await insert(1);
    assert.deepEqual(await stored(), [1]);
  });

  it("a write that can't be stored says that it is committed here and not there, and is stored later", async () => {
    storage.faults.add({ operation: "PutObject", error: "InternalError" });
    await assert.rejects(insert(1), (error: PersistError) => {
      assert.deepEqual([error.name, error.code, error.retryable], ["ConnectionError", "NOT_REPLICATED", false]);
      assert.match(error.message, /committed locally, not replicated/);
      return true;
    });
    assert.equal(database.status().durableCommits, database.status().localCommits - 1);
    storage.faults.clear();
    await database.sync();
    assert.deepEqual(await stored(), [1]);
  });

  it("what a small write uploads does not depend on the size of the database", async () => {
    await database.execute("create table big (id integer primary key, n integer, filler blob)");
    const bytes: number[] = [];
    for (const rows of [10, 10_000]) {
      await database.execute(
        `insert into big (n, filler) with recursive c(x) as (values(1) union all select x + 1 from c where x < ${rows}) select 100, randomblob(1000) from c`,
      );
      // A log that has outgrown its database ends with a snapshot: not in the middle of counting.
      await database.snapshot();
      storage.requests.clear();
      await database.execute("update big set n = n + 1 where id = 5");
      const [put, ...more] = segmentPuts();
      assert.equal(more.length, 0, "one request");
      bytes.push(put!.bytesIn);
    }
    assert.ok(
      bytes.every((size) => size <= 48),
      bytes.join(", "),
    );
  });

  it("writes at once share requests", async () => {
    storage.requests.clear();
    storage.faults.add({ operation: "PutObject", delayMs: 20 });
    await Promise.all(Array.from({ length: 100 }, (_, n) => insert(n)));
    assert.ok(segmentPuts().length < 20, `${segmentPuts().length} puts for 100 writes`);
    storage.faults.clear();
    assert.equal((await stored()).length, 100);
  });
});
