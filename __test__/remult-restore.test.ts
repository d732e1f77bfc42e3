import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { createS3DataProvider, type ReplicatedSqlDatabase, type RestoreOptions, restore } from "holdfast";

import { fails, useReplicaBucket } from "./replica-bucket.js";

describe("restore", () => {
  const used = useReplicaBucket(() => database.close());
  let s3: RestoreOptions["s3"];
  let database: ReplicatedSqlDatabase;
  const points: { position: number; time: Date }[] = [];

  /** The rows of a restored file, read through a database of its own. */
  const rowsOf = async (file: string): Promise<number[]> => {
    const name = `reads-${file.split("/").at(-1)}`;
    const reading = await createS3DataProvider({ file, s3: { ...s3, databaseName: name }, handleSignals: false })();
    const { rows } = await reading.execute("select n from t order by n");
    await reading.close();
    return rows.map((row) => row.n);
  };

  before(async () => {
    s3 = used.place("app");
    const file = join(used.folder, "app.sqlite");
    database = await createS3DataProvider({ file, s3, sync: { mode: "sync" }, handleSignals: false })();
    await database.execute("create table t (n integer)");
    for (let n = 0; n < 4; n++) {
      await database.execute(`insert into t values (${n})`);
      points.push({ position: database.status().position, time: new Date() });
      const noted = Date.now();
      while (Date.now() === noted) await sleep(1);
      if (n === 1) await database.snapshot();
    }
  });

  it("gives the newest state while the database is open elsewhere", async () => {
    const file = join(used.folder, "newest.sqlite");
    const restored = await restore({ file, s3 });
    assert.deepEqual([restored.file, restored.position], [file, database.status().position]);
    assert.deepEqual(await rowsOf(file), [0, 1, 2, 3]);
  });

  it("gives every state that is kept, by position and by time", async () => {
    for (const [n, { position, time }] of points.entries()) {
      const byPosition = join(used.folder, `position-${n}.sqlite`);
      const restored = await restore({ file: byPosition, s3, to: position });
      assert.equal(restored.position, position);
      assert.ok(restored.time <= time && restored.size > 0);
      assert.deepEqual(await rowsOf(byPosition), [0, 1, 2, 3].slice(0, n + 1));
      const byTime = join(used.folder, `time-${n}.sqlite`);
      assert.equal((await restore({ file: byTime, s3, to: time })).time.getTime(), restored.time.getTime());
      assert.deepEqual(await rowsOf(byTime), [0, 1, 2, 3].slice(0, n + 1));
    }
  });

  it("refuses a point that is not kept, and leaves no file", async () => {
    const file = join(used.folder, "never.sqlite");
    await fails(restore({ file, s3, to: new Date(0) }), "NotFoundError", "POINT_NOT_KEPT");
    await fails(restore({ file, s3, to: 1_000_000 }), "NotFoundError", "POINT_NOT_KEPT");
    await fails(restore({ file, s3: { ...s3, databaseName: "nobody" } }), "NotFoundError", "NO_REPLICA");
    assert.ok(!existsSync(file));
  });

  it("overwrites nothing", async () => {
    const file = join(used.folder, "app.sqlite");
    await fails(restore({ file, s3 }), "ValidationError", "FILE_EXISTS");
  });

  it("names what is wrong with its options", async () => {
    const file = join(used.folder, "never.sqlite");
    await fails(restore({ file, s3, to: new Date("no date") }), "ValidationError", "INVALID_POINT");
    await fails(restore({ file, s3, to: -1 }), "ValidationError", "INVALID_POINT");
    await fails(restore({ file: "", s3 }), "ConfigError", "MISSING_OPTION");
    await fails(restore({ file, s3, at: 1 } as RestoreOptions), "ConfigError", "UNKNOWN_OPTION");
  });
});
