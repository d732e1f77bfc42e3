// What machines do to a replicated database: they stop for a while, and their disks fill up.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { describe, it } from "node:test";
import { createS3DataProvider, type PersistError, restore, type S3DataProviderOptions } from "holdfast";

import { fails, useReplicaBucket } from "./replica-bucket.js";

const ROOT = resolve(__dirname, "..");

describe("createS3DataProvider and the machine", () => {
  const used = useReplicaBucket();

  const optionsOf = (machine: string, name: string, sync: S3DataProviderOptions["sync"]): S3DataProviderOptions => ({
    file: join(used.folder, machine, `${name}.sqlite`),
    s3: used.place(name),
    sync: { mode: "sync", ...sync },
    handleSignals: false,
  });
  let reads = 0;
  /** The rows that the bucket holds. */
  const stored = async (name: string): Promise<number[]> => {
    const copy = `copy-${++reads}`;
    const file = join(used.folder, `${copy}.sqlite`);
    await restore({ file, s3: used.place(name) });
    const reading = await createS3DataProvider({ file, s3: used.place(copy), handleSignals: false })();
    const { rows } = await reading.execute("select n from t order by n");
    await reading.close();
    return rows.map((row) => row.n);
  };

  it("a writer that is paused past its lease stops, and takes nothing from its successor", {
    timeout: 120_000,
  }, async () => {
    const lease = { lockTtl: 1000, lockRefresh: 300 };
    const child = spawn(process.execPath, ["-e", WRITER, JSON.stringify(optionsOf("first", "paused", lease))], {
      cwd: ROOT,
      stdio: ["ignore", "pipe", "inherit"],
    });
    try {
      const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
      const acknowledged: number[] = [];
      /** Reads until the child was refused a write, or has acknowledged so many. */
      const read = async (most: number): Promise<string | undefined> => {
        while (acknowledged.length < most) {
          const { value, done } = await lines.next();
          assert.ok(!done, "the writer ended and said nothing");
          const [what, detail] = value.split(" ");
          if (what === "refused") return detail;
          acknowledged.push(Number(detail));
        }
        return undefined;
      };
      assert.equal(await read(10), undefined);
      child.kill("SIGSTOP");
      const successor = await createS3DataProvider(optionsOf("second", "paused", { ...lease, lockWait: 60_000 }))();
      for (const n of [-1, -2]) await successor.execute(`insert into t values (${n})`);
      child.kill("SIGCONT");
      const code = await read(Number.POSITIVE_INFINITY);
      assert.ok(code === "FENCED" || code === "LOCK_LOST", code);
      await successor.execute("insert into t values (-3)");
      await successor.close();
      const rows = await stored("paused");
      assert.deepEqual(rows.slice(0, 3), [-3, -2, -1]);
      const first = rows.slice(3);
      assert.deepEqual(
        first,
        first.map((_, n) => n),
        "the first writer's rows are a prefix of its commits",
      );
      assert.deepEqual(first.slice(0, acknowledged.length), acknowledged, "with all that it acknowledged");
    } finally {
      child.kill("SIGKILL");
    }
  });

  it("a full disk refuses the write, keeps what was acknowledged, and goes on when there is room", async (t) => {
    const disk = join(used.folder, "small");
    mkdirSync(disk);
    const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=6m", "tmpfs", disk], { encoding: "utf8" });
    if (mounted.status !== 0) {
      t.skip(`a disk of 6 MB can't be mounted here: ${mounted.error?.message ?? mounted.stderr.trim()}`);
      return;
    }
    try {
      const options = { ...optionsOf("small", "full", {}), file: join(disk, "full.sqlite") };
      const database = await createS3DataProvider(options)();
      await database.execute("create table t (n integer, filler blob)");
      writeFileSync(join(disk, "ballast"), Buffer.alloc(2 << 20));
      const insert = (n: number) => database.execute(`insert into t values (${n}, randomblob(60000))`);
      const acknowledged: number[] = [];
      let refused: PersistError | undefined;
      for (let n = 0; refused === undefined && n < 200; n++) {
        await insert(n).then(
          () => acknowledged.push(n),
          (error: PersistError) => {
            refused = error;
          },
        );
      }
      assert.deepEqual([refused?.name, refused?.code], ["IoError", "DISK_FULL"], refused?.message);
      assert.ok(acknowledged.length > 5, `${acknowledged.length} rows fit`);
      assert.equal((await database.execute("select count(*) as n from t")).rows[0].n, acknowledged.length);
      assert.deepEqual(await stored("full"), acknowledged);
      rmSync(join(disk, "ballast"));
      await insert(1000);
      await database.close();
      assert.deepEqual(await stored("full"), [...acknowledged, 1000]);
      await assertNoRestoreFits(disk);
    } finally {
      spawnSync("umount", [disk]);
    }
  });

  /** A restore that does not fit says so and leaves nothing behind. */
  async function assertNoRestoreFits(disk: string): Promise<void> {
    for (const name of readdirSync(disk)) rmSync(join(disk, name));
    writeFileSync(join(disk, "ballast"), Buffer.alloc(5 << 20));
    await fails(restore({ file: join(disk, "new.sqlite"), s3: used.place("full") }), "IoError", "DISK_FULL");
    assert.deepEqual(readdirSync(disk), ["ballast"]);
  }
});

/** Inserts 0, 1, 2 and so on, and says of each that it is stored, until one is refused. */
const WRITER = `
  const { createS3DataProvider } = require("holdfast");
  createS3DataProvider(JSON.parse(process.argv[1]))().then(async (database) => {
    await database.execute("create table t (n integer)");
    for (let n = 0; ; n++) {
      const refused = await database.execute("insert into t values (" + n + ")").then(() => undefined, ({ code }) => code);
      console.log(refused === undefined ? "acknowledged " + n : "refused " + refused);
      if (refused !== undefined) break;
    }
    await database.close().catch(() => undefined);
  });
`;
