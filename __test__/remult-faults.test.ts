import assert from "node:assert/strict";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import {
  createS3DataProvider,
  type PersistError,
  type ReplicatedSqlDatabase,
  type S3DataProviderOptions,
} from "holdfast";

import { useReplicaBucket } from "./replica-bucket.js";

describe("createS3DataProvider on a bucket that fails", () => {
  const used = useReplicaBucket();
  let database: ReplicatedSqlDatabase;
  let round = 0;

  const optionsOf = (machine: string, sync: NonNullable<S3DataProviderOptions["sync"]>): S3DataProviderOptions => ({
    file: join(used.folder, `${machine}-${round}`, "app.sqlite"),
    s3: used.place(`database-${round}`),
    sync,
    handleSignals: false,
  });
  /** What another machine finds in the bucket. */
  const stored = async (): Promise<number[]> => {
    const other = await createS3DataProvider(optionsOf("other", { forceLock: true }))();
    const { rows } = await other.execute("select n from t order by rowid");
    await other.close();
    return rows.map((row) => row.n);
  };
  const insert = (n: number) => database.execute(`insert into t values (${n})`);
  const segmentPuts = () =>
    used.storage.requests.filter(({ key, operation }) => operation === "PutObject" && key?.endsWith(".seg") === true);

  beforeEach(async () => {
    round += 1;
    database = await createS3DataProvider(optionsOf("one", { mode: "sync" }))();
    await database.execute("create table t (n integer)");
  });
  afterEach(async () => {
    used.storage.faults.clear();
    await database.close().catch(() => undefined);
  });

  it("closes, and says why, when the last snapshot finds the bucket silent", { timeout: 60_000 }, async () => {
    await insert(1);
    used.storage.faults.add({ error: "ServiceUnavailable" });
    await assert.rejects(database.close(), (error: PersistError) => error.name === "ConnectionError");
    used.storage.faults.clear();
    assert.deepEqual(await stored(), [1]);
  });

  it("closes while a snapshot is under way that the bucket does not take", { timeout: 60_000 }, async () => {
    await insert(1);
    used.storage.faults.add({ error: "ServiceUnavailable" });
    const snapshot = database.snapshot().catch((error: PersistError) => error.name);
    while (database.status().lastError === undefined) await sleep(20);
    await assert.rejects(database.close(), (error: PersistError) => error.name === "ConnectionError");
    assert.ok(["ConnectionError", "ClosedError"].includes(String(await snapshot)));
    used.storage.faults.clear();
    assert.deepEqual(await stored(), [1]);
  });

  it("a put that was stored and cut off is acknowledged once", async () => {
    used.storage.faults.add({ operation: "PutObject", cut: "after", count: 1 });
    await insert(1);
    await insert(2);
    assert.deepEqual(await stored(), [1, 2]);
  });

  it("a put that was cut off before is sent again", async () => {
    used.storage.faults.add({ operation: "PutObject", cut: "before", count: 1 });
    await insert(1);
    assert.deepEqual(await stored(), [1]);
  });

  it("a bucket that asks to slow down is asked again", async () => {
    used.storage.faults.add({ operation: "PutObject", error: "SlowDown", count: 2 });
    await insert(1);
    assert.deepEqual(await stored(), [1]);
  });

  it("a write that can't be stored says that it is committed here and not there, and is stored later", async () => {
    used.storage.faults.add({ operation: "PutObject", error: "InternalError" });
    await assert.rejects(insert(1), (error: PersistError) => {
      assert.deepEqual([error.name, error.code, error.retryable], ["ConnectionError", "NOT_REPLICATED", false]);
      assert.match(error.message, /committed locally, not replicated/);
      return true;
    });
    assert.equal(database.status().durableCommits, database.status().localCommits - 1);
    used.storage.faults.clear();
    await database.sync();
    assert.deepEqual(await stored(), [1]);
  });

  /** What a small write uploads to a database that so many more rows of 1,000 bytes have come into. */
  const uploadedWith = async (rows: number): Promise<number> => {
    const portion = Math.min(rows, 50_000);
    for (let made = 0; made < rows; made += portion) {
      await database.execute(
        `insert into big (n, filler) with recursive c(x) as (values(1) union all select x + 1 from c where x < ${portion}) select 100, randomblob(1000) from c`,
      );
    }
    // A log that has outgrown its database ends with a snapshot: not in the middle of counting.
    await database.snapshot();
    used.storage.requests.clear();
    await database.execute("update big set n = n + 1 where id = 5");
    const [put, ...more] = segmentPuts();
    assert.equal(more.length, 0, "one request");
    return put!.bytesIn;
  };

  it("what a small write uploads is the same at 10 KB and at 10 MB", async () => {
    await database.execute("create table big (id integer primary key, n integer, filler blob)");
    const bytes = [await uploadedWith(10), await uploadedWith(10_000)];
    assert.ok(
      bytes.every((size) => size <= 48),
      bytes.join(", "),
    );
  });

  const skip = process.env.HOLDFAST_LONG === undefined && "takes minutes to fill; run it with HOLDFAST_LONG=1";
  it("what a small write uploads is the same at 10 MB and at 1 GB", { skip }, async (context) => {
    await database.execute("create table big (id integer primary key, n integer, filler blob)");
    const bytes = [await uploadedWith(10_000), await uploadedWith(1_000_000)];
    const [size] = (
      await database.execute("select page_count * page_size as bytes from pragma_page_count, pragma_page_size")
    ).rows;
    context.diagnostic(`${bytes.join(" and ")} bytes; the database has ${size.bytes}`);
    assert.ok(size.bytes > 1e9);
    assert.ok(
      bytes.every((size) => size <= 48),
      bytes.join(", "),
    );
  });

  it("writes at once share requests", async () => {
    used.storage.requests.clear();
    used.storage.faults.add({ operation: "PutObject", delayMs: 20 });
    await Promise.all(Array.from({ length: 100 }, (_, n) => insert(n)));
    assert.ok(segmentPuts().length < 20, `${segmentPuts().length} puts for 100 writes`);
    used.storage.faults.clear();
    assert.equal((await stored()).length, 100);
  });
});
