// Remult's own migrations, on a replicated database.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { createS3DataProvider, type ReplicatedSqlDatabase } from "holdfast";
import { describeEntity, Fields, Remult } from "remult";
import { generateMigrations, type Migrations, migrate } from "remult/migrations";

import { useReplicaBucket } from "./replica-bucket.js";

class FirstTask {
  id = 0;
  title = "";
}
describeEntity(FirstTask, "tasks", { id: Fields.autoIncrement(), title: Fields.string() });

/** The same table, a release later. */
class Task {
  id = 0;
  title = "";
  done = false;
}
describeEntity(Task, "tasks", { id: Fields.autoIncrement(), title: Fields.string(), done: Fields.boolean() });

describe("Remult's migrations", () => {
  const used = useReplicaBucket();
  const open = (machine: string, databaseName: string): Promise<ReplicatedSqlDatabase> =>
    createS3DataProvider({
      file: join(used.folder, `${machine}-${databaseName}`, "app.sqlite"),
      s3: used.place(databaseName),
      sync: { mode: "sync" },
      handleSignals: false,
    })();

  it("are generated from entities, run once each, and are there after the disk is lost", async () => {
    const database = await open("one", "generated");
    const folder = join(used.folder, "migrations");
    const generate = (entities: unknown[]) =>
      generateMigrations({ entities, dataProvider: database, migrationsFolder: folder });
    // Only what ran is compared: where the generated file stands is the application's matter.
    const ran: number[] = [];
    const run = async () => {
      const text = readFileSync(join(folder, "migrations.ts"), "utf8");
      await migrate({
        migrations: migrationsIn(text),
        dataProvider: database,
        beforeMigration: ({ index }) => void ran.push(index),
      });
    };
    assert.equal(await generate([FirstTask]), true);
    await run();
    await new Remult(database).repo(FirstTask).insert({ title: "before" });
    assert.equal(await generate([Task]), true);
    assert.equal(await generate([Task]), false, "nothing is new");
    await run();
    await run();
    assert.deepEqual(ran, [0, 1], "each once");
    await database.close();

    const other = await open("two", "generated");
    const tasks = new Remult(other).repo(Task);
    await tasks.insert({ title: "after", done: true });
    assert.deepEqual(
      (await tasks.find()).map((task) => ({ ...task })),
      [
        { id: 1, title: "before", done: false },
        { id: 2, title: "after", done: true },
      ],
    );
    await other.close();
  });

  it("that fail leave nothing behind, and run again when they are mended", async () => {
    const database = await open("one", "failing");
    const migrations: Migrations = {
      0: ({ sql }) => sql("create table kept (n integer)"),
      1: async ({ sql }) => {
        await sql("create table half (n integer)");
        await sql("insert into nowhere values (1)");
      },
    };
    await assert.rejects(migrate({ migrations, dataProvider: database }), /no such table: nowhere/);
    const tables = async () => {
      const { rows } = await database.execute(
        "select name from sqlite_master where name in ('kept', 'half') order by 1",
      );
      return rows.map(({ name }) => name);
    };
    assert.deepEqual(await tables(), [], "Remult runs them in one transaction");
    migrations[1] = ({ sql }) => sql("create table half (n integer)");
    await migrate({ migrations, dataProvider: database });
    assert.deepEqual(await tables(), ["half", "kept"]);
    await database.close();
  });
});

/** The migrations that Remult wrote as TypeScript, as code that runs here. */
function migrationsIn(text: string): Migrations {
  const body = text.slice(text.indexOf("= {") + 2).replace(/;\s*$/, "");
  return new Function(`return ${body}`)() as Migrations;
}
