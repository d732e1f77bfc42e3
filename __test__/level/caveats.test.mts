// What s3leveldown's documentation warns of, in both layouts: how many requests and how much memory it takes here.
// HOLDFAST_LONG=1 runs it at the sizes that docs/level.md gives figures for.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { resolve } from "node:path";
import { describe, it } from "node:test";
import { promisify } from "node:util";
import { S3Level, type S3LevelOptions } from "holdfast/level";
import { levelServer } from "./server.mts";

const long = process.env.HOLDFAST_LONG === "1";
const { s3, storage, location } = await levelServer();

/** A database with `count` entries of 100 bytes and some. */
async function filled(count: number, options: S3LevelOptions): Promise<S3Level> {
  const db = new S3Level(location(), { s3: { ...s3 }, ...options });
  await db.open();
  const value = "v".repeat(100);
  for (let from = 0; from < count; from += 1000) {
    const keys = Array.from({ length: Math.min(1000, count - from) }, (_, n) => `k${`${from + n}`.padStart(8, "0")}`);
    await db.batch(
      keys.map((key) => ({ type: "put" as const, key, value })),
      { sync: false } as object,
    );
  }
  await db.put("k", value);
  return db;
}

/** How many requests a piece of work takes, in all. */
async function requests(db: S3Level, work: () => Promise<unknown>): Promise<number> {
  const total = () => Object.values(db.stats()).reduce((sum, count) => sum + count, 0);
  const before = total();
  await work();
  return total() - before;
}

/** How many of them are for the data of a tree, rather than for what is done in the background. */
async function dataRequests(work: () => Promise<unknown>): Promise<number> {
  storage.requests.clear();
  await work();
  return [...storage.requests].filter(({ key }) => /\/lsm\/(compacted|wal)\//.test(key ?? "")).length;
}

async function counted(entries: AsyncIterable<unknown>): Promise<number> {
  let count = 0;
  for await (const _ of entries) count++;
  return count;
}

describe("getting values while iterating", () => {
  it("takes one request a value in layout objects, 64 at once", async (t) => {
    const count = long ? 10_000 : 200;
    const db = await filled(count, { layout: "objects" });
    const spent = await requests(db, async () => assert.equal(await counted(db.iterator()), count + 1));
    const lists = Math.ceil((count + 1) / 1000);
    assert.ok(spent <= count + 1 + lists + 1, `${spent} requests`);
    t.diagnostic(`${count} entries: ${spent} requests`);
    await db.close();
  });

  it("takes fewer than 20 requests in layout lsm, forwards and backwards, from a cold start", async (t) => {
    const count = 10_000;
    const warm = await filled(count, { layout: "lsm" });
    await warm.close();
    for (const reverse of [false, true]) {
      const db = new S3Level(warm.location, { s3: { ...s3 } });
      await db.open();
      const spent = await dataRequests(async () => assert.equal(await counted(db.iterator({ reverse })), count + 1));
      assert.ok(spent < 20, `${spent} requests`);
      t.diagnostic(`${count} entries, reverse ${reverse}: ${spent} requests after opening`);
      await db.close();
    }
  });
});

describe("iterating in reverse with a limit", () => {
  const count = long ? 100_000 : 10_000;
  const last = (db: S3Level) => db.keys({ reverse: true, limit: 10 }).all();
  const expected = Array.from({ length: 10 }, (_, n) => `k${`${count - 1 - n}`.padStart(8, "0")}`);

  const skip = long ? false : "takes minutes to fill; run it with HOLDFAST_LONG=1";

  it("finds the end without listing everything in layout objects", { skip }, async (t) => {
    const db = await filled(count, { layout: "objects" });
    const spent = await requests(db, async () => assert.deepEqual(await last(db), expected));
    assert.ok(spent <= 60, `${spent} lists`);
    t.diagnostic(`the last 10 of ${count} keys: ${spent} lists`);
    await db.close();
  });

  it("takes a handful of requests in layout lsm", async (t) => {
    const warm = await filled(count, { layout: "lsm" });
    await warm.close();
    const db = new S3Level(warm.location, { s3: { ...s3 } });
    await db.open();
    const spent = await dataRequests(async () => assert.deepEqual(await last(db), expected));
    assert.ok(spent <= 12, `${spent} requests`);
    t.diagnostic(`the last 10 of ${count} keys: ${spent} requests after opening`);
    await db.close();
  });
});

describe("iterating over everything", () => {
  for (const [layout, reverse, count] of [
    ["lsm", false, long ? 1_000_000 : 20_000],
    ["lsm", true, long ? 1_000_000 : 20_000],
    ["objects", false, 100_000],
    ["objects", true, 100_000],
  ] as const) {
    const skip = long || layout === "lsm" ? false : "takes minutes to fill; run it with HOLDFAST_LONG=1";
    it(`holds a bounded part of it in memory, layout ${layout}, reverse ${reverse}`, { skip }, async (t) => {
      const db = await filled(count, { layout });
      const before = process.memoryUsage().rss;
      let most = 0;
      let seen = 0;
      for await (const _ of db.iterator({ reverse })) {
        if (++seen % 1000 === 0) most = Math.max(most, process.memoryUsage().rss - before);
      }
      assert.equal(seen, count + 1);
      assert.ok(most < 256 << 20, `${most >> 20} MiB more than before`);
      t.diagnostic(`${count} entries: at most ${most >> 20} MiB more than before`);
      await db.close();
    });
  }
});

describe("an idle database", () => {
  const skip = long ? false : "takes two minutes; run it with HOLDFAST_LONG=1";

  it("sends few requests in layout lsm, and none in layout objects", { skip }, async (t) => {
    for (const [layout, most] of [
      ["lsm", 50],
      ["objects", 0],
    ] as const) {
      const db = await filled(10, { layout });
      const spent = await requests(db, () => new Promise((done) => setTimeout(done, 60_000)));
      assert.ok(spent <= most, `${spent} requests`);
      t.diagnostic(`layout ${layout}: ${spent} requests in a minute`);
      await db.close();
    }
  });
});

describe("many processes that write one key", () => {
  const [processes, each] = long ? [8, 50] : [2, 10];

  it("lose no update, with ETags", async (t) => {
    const db = await filled(0, { layout: "objects" });
    await db.put("n", "0");
    const script = `
      const { S3Level } = require("holdfast/level");
      const db = new S3Level(${JSON.stringify(db.location)}, { s3: ${JSON.stringify(s3)} });
      (async () => {
        let conflicts = 0;
        for (let done = 0; done < ${each}; ) {
          const { value, etag } = await db.getWithEtag("n");
          const code = await db.put("n", String(Number(value) + 1), { ifMatch: etag }).catch(({ code }) => code);
          if (code === undefined) done++;
          else if (code === "LEVEL_CONFLICT") conflicts++;
          else throw new Error(code);
        }
        console.log(conflicts);
      })();`;
    const cwd = resolve(import.meta.dirname, "../..");
    const run = promisify(execFile);
    const ended = await Promise.all(
      Array.from({ length: processes }, () => run(process.execPath, ["-e", script], { cwd })),
    );
    assert.equal(await db.get("n"), `${processes * each}`);
    const conflicts = ended.reduce((sum, { stdout }) => sum + Number(stdout), 0);
    t.diagnostic(`${processes} processes, ${processes * each} updates: none lost, ${conflicts} conflicts`);
    await db.close();
  });
});

describe("a snapshot under writes", () => {
  it("stays what it was, for gets, iterators and ranges that are cleared", async () => {
    const db = await filled(500, { layout: "lsm" });
    const snapshot = db.snapshot();
    const iterator = db.iterator();
    await db.batch(Array.from({ length: 100 }, (_, n) => ({ type: "put" as const, key: `new${n}`, value: "1" })));
    await db.put("k", "changed");
    await db.clear({ gte: "k00000100", lt: "k00000200" });
    assert.equal(await db.get("k", { snapshot }), "v".repeat(100));
    assert.equal((await db.keys({ snapshot }).all()).length, 501);
    assert.equal((await iterator.all()).length, 501);
    assert.equal((await db.keys().all()).length, 501);
    await snapshot.close();
    await db.close();
  });
});

describe("two writers of layout lsm", () => {
  it("are one: the later takes over, and the first is told", async () => {
    const first = await filled(10, { layout: "lsm" });
    const second = new S3Level(first.location, { s3: { ...s3 } });
    await second.put("second", "1");
    await assert.rejects(first.put("lost", "1"), { code: "LEVEL_LOCKED" });
    assert.equal(await second.get("lost"), undefined);
    assert.equal((await second.keys().all()).length, 12);
    await first.close().catch(() => undefined);
    await second.close();
  });

  it("have readers beside them, which follow and don't write", async () => {
    const writer = await filled(10, { layout: "lsm" });
    const reader = new S3Level(writer.location, { s3: { ...s3 }, readOnly: true, refreshInterval: 200 });
    await reader.open();
    assert.equal(reader.supports.explicitSnapshots, false);
    assert.throws(() => reader.snapshot(), { code: "LEVEL_NOT_SUPPORTED" });
    await assert.rejects(reader.put("k", "1"), { code: "LEVEL_READONLY" });
    await writer.put("new", "1");
    while ((await reader.get("new")) === undefined) await new Promise((done) => setTimeout(done, 50));
    await reader.close();
    await writer.close();
  });
});

describe("a database in the other layout", () => {
  it("is a copy that tells how far it is", async () => {
    const tree = await filled(1500, { layout: "lsm" });
    await tree.close();
    const heard: number[] = [];
    const target = location();
    const onProgress = ({ entries }: { entries: number }) => void heard.push(entries);
    const { entries } = await S3Level.migrate(tree.location, target, { layout: "objects", s3, onProgress });
    assert.deepEqual([heard, entries], [[1000, 1501], 1501]);
    const copy = new S3Level(target, { s3 });
    assert.equal((await copy.keys().all()).length, 1501);
    await copy.close();
  });
});
