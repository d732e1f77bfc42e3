import assert from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import type * as Holdfast from "holdfast";
import type { ReplicatedSqlDatabase, S3DataProviderOptions, S3SyncEvent } from "holdfast";
import type * as RemultModule from "remult";

import { latch } from "./latch.js";
import { fails, useReplicaBucket } from "./replica-bucket.js";

interface Task {
  id: number;
  title: string;
  done: boolean;
  due: Date | null;
  tags: string[];
  amount: number;
}

type Mode = "async" | "sync";

/** The behaviour of the Remult door, through whichever module system the test file uses. */
export function remultSuite(
  name: string,
  modules: {
    holdfast: Pick<typeof Holdfast, "createS3DataProvider">;
    remult: Pick<typeof RemultModule, "Remult" | "Fields" | "describeEntity" | "SqlDatabase">;
  },
): void {
  const { createS3DataProvider } = modules.holdfast;
  const { Remult, Fields, describeEntity, SqlDatabase } = modules.remult;

  class TaskEntity implements Task {
    id = 0;
    title = "";
    done = false;
    due: Date | null = null;
    tags: string[] = [];
    amount = 0;
  }
  describeEntity(TaskEntity, "tasks", {
    id: Fields.autoIncrement(),
    title: Fields.string(),
    done: Fields.boolean(),
    due: Fields.date({ allowNull: true }),
    tags: Fields.json(),
    amount: Fields.number(),
  });

  describe(name, () => {
    const used = useReplicaBucket();
    let round = 0;
    let open: ReplicatedSqlDatabase[] = [];

    beforeEach(() => {
      round += 1;
    });
    afterEach(async () => {
      for (const database of open) await database.close().catch(() => undefined);
      open = [];
    });

    /** Options of a machine: a name stands for a disk of its own. */
    const optionsOf = (machine: string, more: Partial<S3DataProviderOptions> = {}): S3DataProviderOptions => ({
      file: join(used.folder, `${round}-${machine}`, "app.sqlite"),
      s3: used.place(`database-${round}`),
      handleSignals: false,
      ...more,
    });
    const start = async (machine: string, mode: Mode, more: Partial<S3DataProviderOptions> = {}) => {
      const options = optionsOf(machine, { sync: { mode }, ...more });
      const database = await createS3DataProvider(options)();
      open.push(database);
      const remult = new Remult(database);
      const tasks = remult.repo(TaskEntity);
      await database.ensureSchema([tasks.metadata]);
      return { database, remult, tasks, options };
    };
    const loseDisk = (options: S3DataProviderOptions): void => {
      rmSync(join(options.file, ".."), { recursive: true });
    };
    const titles = (tasks: Task[]): string[] => tasks.map((task) => task.title);

    for (const mode of ["async", "sync"] as const) {
      it(`${mode}: entities are there again after the local file is lost`, async () => {
        const first = await start("a", mode);
        const due = new Date("2026-01-02T03:04:05.678Z");
        await first.tasks.insert([
          { title: "one", done: true, due, tags: ["x", "é"], amount: 1.5 },
          { title: "two", amount: 9007199254740991 },
          { title: "three" },
        ]);
        await first.tasks.update(2, { title: "two, changed" });
        await first.tasks.delete(3);
        const before = await first.tasks.find({ orderBy: { id: "asc" } });
        await first.database.close();
        loseDisk(first.options);
        const second = await start("a", mode);
        const after = await second.tasks.find({ orderBy: { id: "asc" } });
        assert.deepEqual(
          after.map((task) => ({ ...task })),
          before.map((task) => ({ ...task })),
        );
        assert.deepEqual([after[0]!.done, after[0]!.due, after[1]!.amount], [true, due, 9007199254740991]);
      });

      it(`${mode}: rows after a snapshot are there after a restore`, async () => {
        const first = await start("a", mode);
        await first.tasks.insert({ title: "before" });
        await first.database.snapshot();
        await first.tasks.insert({ title: "between" });
        await first.database.snapshot();
        await first.tasks.insert({ title: "after" });
        await first.database.close();
        loseDisk(first.options);
        const second = await start("a", mode);
        assert.deepEqual(titles(await second.tasks.find()), ["before", "between", "after"]);
      });

      it(`${mode}: what another machine wrote meanwhile is there, and nothing old buries it`, async () => {
        const a = await start("a", mode);
        await a.tasks.insert({ title: "from a" });
        await a.database.close();
        const b = await start("b", mode);
        await b.tasks.insert({ title: "from b" });
        await b.database.close();
        const again = await start("a", mode);
        assert.deepEqual(titles(await again.tasks.find()), ["from a", "from b"]);
      });

      it(`${mode}: a transaction with a delete in it works`, async () => {
        const { database, tasks } = await start("a", mode);
        await tasks.insert([{ title: "one" }, { title: "two" }]);
        await database.transaction(async (inside) => {
          const repo = new Remult(inside).repo(TaskEntity);
          await repo.delete(1);
          await repo.insert({ title: "three" });
        });
        assert.deepEqual(titles(await tasks.find()), ["two", "three"]);
      });
    }

    it("sync: each acknowledged insert and update is in the bucket, also those with returning", async () => {
      const a = await start("a", "sync");
      for (let n = 0; n < 5; n++) await a.tasks.insert({ title: `row ${n}` });
      await a.tasks.update(1, { title: "changed" });
      assert.equal(a.database.status().lagBytes, 0);
      const b = await start("b", "sync", { sync: { mode: "sync", forceLock: true } });
      assert.deepEqual(titles(await b.tasks.find()), ["changed", "row 1", "row 2", "row 3", "row 4"]);
    });

    it("a machine that was taken over stops, and nothing it writes is acknowledged", async () => {
      const events: S3SyncEvent[] = [];
      const a = await start("a", "sync", { onEvent: (event) => events.push(event) });
      await a.tasks.insert({ title: "before" });
      const b = await start("b", "sync", { sync: { mode: "sync", forceLock: true } });
      await b.tasks.insert({ title: "from b" });
      await fails(a.database.execute("insert into tasks (title) values ('lost')"), "LockedError", "FENCED");
      await fails(a.database.execute("insert into tasks (title) values ('lost')"), "LockedError", "FENCED");
      assert.equal(a.database.status().lastError?.code, "FENCED");
      assert.ok(events.some((event) => event.type === "lock_lost"));
      assert.deepEqual(titles(await b.tasks.find()), ["before", "from b"]);
    });

    it("async: sync() resolves when what is committed is in the bucket", async () => {
      const { database, tasks } = await start("a", "async");
      await tasks.insert({ title: "one" });
      await database.sync();
      const { localCommits, durableCommits, lagBytes } = database.status();
      assert.deepEqual([durableCommits, lagBytes], [localCommits, 0]);
    });

    it("a second provider is refused with the holder's name while the first is open", async () => {
      const a = await start("a", "async");
      const options = optionsOf("b");
      const error = await fails(createS3DataProvider(options)(), "LockedError", "DATABASE_LOCKED");
      assert.equal(error.details.holder, a.database.status().holder);
      assert.ok(!Number.isNaN(Date.parse(error.details.expiresAt as string)));
      await a.database.close();
      open.push(await createS3DataProvider(options)());
    });

    it("opens once, however often it is called", async () => {
      const provider = createS3DataProvider(optionsOf("a"));
      const [one, two] = await Promise.all([provider(), provider()]);
      open.push(one);
      assert.equal(one, two);
      assert.ok(one instanceof SqlDatabase);
    });

    it("leaves nothing open after close, and says so afterwards", async () => {
      const { database, options } = await start("a", "async");
      await database.close();
      await database.close();
      await fails(database.execute("select 1"), "ClosedError", "CLOSED");
      assert.deepEqual(
        readdirSync(join(options.file, "..")).filter((name) => name.includes("restoring")),
        [],
      );
    });

    it("tells what it does", async () => {
      const events: S3SyncEvent[] = [];
      const onEvent = (event: S3SyncEvent): void => void events.push(event);
      const first = await start("a", "sync", { onEvent });
      await first.tasks.insert({ title: "one" });
      await first.database.close();
      loseDisk(first.options);
      await start("a", "sync", { onEvent });
      const types = new Set(events.map((event) => event.type));
      for (const type of [
        "lock_acquired",
        "initialized",
        "wal_uploaded",
        "snapshot_uploaded",
        "recovery_started",
        "recovery_completed",
      ] as const) {
        assert.ok(types.has(type), type);
      }
      assert.deepEqual(
        events.filter((event) => event.type === "initialized").map((event) => event.recovered),
        [false, true],
      );
    });

    describe("isolation", () => {
      it("two transactions at once take turns", async () => {
        const { database, tasks } = await start("a", "async");
        const add = (title: string) =>
          database.transaction(async (inside) => {
            const repo = new Remult(inside).repo(TaskEntity);
            const count = await repo.count();
            await repo.insert({ title: `${title} after ${count}` });
          });
        await Promise.all([add("task"), add("task")]);
        assert.deepEqual(titles(await tasks.find()), ["task after 0", "task after 1"]);
      });

      it("an insert beside a transaction that rolls back stays", async () => {
        const { database, tasks } = await start("a", "async");
        const gate = latch();
        const rolledBack = database.transaction(async (inside) => {
          await new Remult(inside).repo(TaskEntity).insert({ title: "undone" });
          await gate.promise;
          throw new Error("on purpose");
        });
        const beside = tasks.insert({ title: "stays" });
        gate.resolve();
        await assert.rejects(rolledBack, /on purpose/);
        await beside;
        assert.deepEqual(titles(await tasks.find()), ["stays"]);
      });

      it("readers outside see only what is committed", async () => {
        const { database, tasks } = await start("a", "async");
        const [written, seen] = [latch(), latch()];
        const done = database.transaction(async (inside) => {
          await new Remult(inside).repo(TaskEntity).insert({ title: "open" });
          written.resolve();
          await seen.promise;
        });
        await written.promise;
        assert.equal(await tasks.count(), 0);
        seen.resolve();
        await done;
        assert.equal(await tasks.count(), 1);
      });

      it("the outer repository joins the transaction whose body uses it", async () => {
        const { database, tasks } = await start("a", "async");
        await assert.rejects(
          database.transaction(async () => {
            await tasks.insert({ title: "by the outer repository" });
            assert.equal(await tasks.count(), 1);
            throw new Error("on purpose");
          }),
          /on purpose/,
        );
        assert.equal(await tasks.count(), 0);
      });

      it("a transaction inside a transaction is undone alone", async () => {
        const { database, tasks } = await start("a", "async");
        await database.transaction(async (outer) => {
          await new Remult(outer).repo(TaskEntity).insert({ title: "outer" });
          const inner = outer.transaction(async (inside) => {
            await new Remult(inside).repo(TaskEntity).insert({ title: "inner" });
            throw new Error("on purpose");
          });
          await assert.rejects(inner, /on purpose/);
          await database.transaction(async () => {
            await tasks.insert({ title: "kept" });
          });
        });
        assert.deepEqual(titles(await tasks.find()), ["outer", "kept"]);
      });

      it("what a body is given belongs to the transaction, also where the context is lost", async () => {
        const { database, tasks } = await start("a", "async");
        const elsewhere = AsyncLocalStorage.snapshot();
        await assert.rejects(
          database.transaction(async (inside) => {
            const repo = new Remult(inside).repo(TaskEntity);
            await elsewhere(() => repo.insert({ title: "undone" }));
            await elsewhere(() => inside.transaction(async () => void (await repo.insert({ title: "undone too" }))));
            throw new Error("on purpose");
          }),
          /on purpose/,
        );
        assert.equal(await tasks.count(), 0);
      });

      it("work that outlives its transaction's body is on its own", async () => {
        const { database, tasks } = await start("a", "async");
        const ended = latch();
        let late: Promise<unknown> | undefined;
        await database.transaction(async () => {
          late = ended.promise.then(() => tasks.insert({ title: "late" }));
        });
        ended.resolve();
        await late;
        assert.deepEqual(titles(await tasks.find()), ["late"]);
      });
    });

    it("an empty result has its columns, and raw statements count like any other", async () => {
      const a = await start("a", "sync");
      await a.database.execute("create table raw (id integer primary key, body blob)");
      const command = a.database.createCommand();
      const token = command.param(Buffer.from([0, 255]));
      await command.execute(`insert into raw (body) values (${token})`);
      const empty = await a.database.execute("select id, body as content from raw where id = 0");
      assert.equal(empty.getColumnKeyInResultForIndexInSelect(1), "content");
      const b = await start("b", "sync", { sync: { mode: "sync", forceLock: true } });
      const { rows } = await b.database.execute("select body from raw");
      assert.deepEqual(rows[0].body, Buffer.from([0, 255]));
    });

    it("what would end replication is refused", async () => {
      const { database } = await start("a", "async");
      await fails(database.execute("pragma journal_mode = delete"), "ValidationError", "PRAGMA_REFUSED");
      await fails(database.execute("attach 'other.db' as other"), "ValidationError", "ATTACH_REFUSED");
      await fails(database.execute("begin"), "ValidationError", "TRANSACTION_REFUSED");
    });

    it("says what is wrong when the bucket is missing or the key is refused, and holds nothing afterwards", async () => {
      const good = optionsOf("a");
      const missing = createS3DataProvider({ ...good, s3: { ...good.s3, bucket: "no-such-bucket" } });
      await fails(missing(), "NotFoundError", "NO_SUCH_BUCKET");
      open.push(await createS3DataProvider(good)());
    });
  });
}
