import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { describe, it } from "node:test";
import { promisify } from "node:util";
import { createStore, type MigrateProgress, migrate, type Store } from "holdfast";
import { ADAPTERS, type AdapterUnderTest } from "./conformance/adapters.js";

const run = promisify(execFile);
const SQLITE = adapter("sqlite");
const big = randomBytes(600_000);

function adapter(name: string): AdapterUnderTest {
  const found = ADAPTERS.find((each) => each.name === name);
  assert.ok(found !== undefined);
  return found;
}

/** Runs work with an empty store on each of two adapters. */
async function between(
  one: AdapterUnderTest,
  other: AdapterUnderTest,
  work: (source: Store, destination: Store) => Promise<void>,
): Promise<void> {
  const rooms = [await one.prepare(), await other.prepare()] as const;
  const source = await createStore("source", rooms[0].options);
  const destination = await createStore("destination", rooms[1].options);
  try {
    await work(source, destination);
  } finally {
    await Promise.all([source.close(), destination.close()]);
    await Promise.all(rooms.map((room) => room.clear()));
  }
}

/** Some of everything: versions, types, times to live, streams, a subscription half-way, metadata. */
async function fill(store: Store): Promise<void> {
  const users = Array.from({ length: 250 }, (_, n) => ({ key: `users/${n}`, value: { n, at: new Date(n) } }));
  await store.records.putMany(users);
  await store.records.put("users/1", { n: 1n });
  await store.records.put("users/1", new Map([["a", 1]]));
  await store.records.put("gone", 1);
  await store.records.delete("gone");
  await store.kv.setMany({ theme: "dark", bytes: new Uint8Array([1, 2]) });
  await store.kv.set("session", "x", { ttl: 3_600_000 });
  await store.events.appendMany("orders", [{ id: 1 }, { id: 2 }]);
  await store.events.append("other", "between");
  await store.events.append("orders", { id: 3 }, { id: "mine" });
  await store.blobs.put("a/photo.png", big, { contentType: "image/png", metadata: { by: "ada" } });
  await store.blobs.put("empty", "");
}

/** Handles `count` events of a subscription and closes it. */
async function handle(store: Store, count: number): Promise<unknown[]> {
  const seen: unknown[] = [];
  await new Promise<void>((resolve, reject) => {
    store.events
      .subscribe({ name: "mailer" }, ({ payload }) => {
        if (seen.length < count) seen.push(payload);
        if (seen.length === count) resolve();
      })
      .then((subscription) => store.once("listener:error", reject) && subscription)
      .catch(reject);
  });
  return seen;
}

describe("migrate", () => {
  for (const target of ["postgres", "s3", "memory", "sqlite", "a custom adapter over a Map"].map(adapter)) {
    it(`brings everything from sqlite to ${target.name}, with versions, times, expiry and ids`, async () => {
      await between(SQLITE, target, async (source, destination) => {
        await fill(source);
        const seen: MigrateProgress[] = [];
        const report = await migrate(source, destination, { verify: true, onProgress: (it) => seen.push(it) });
        assert.deepEqual(report, {
          records: { copied: 250, kept: 0 },
          kv: { copied: 3, kept: 0 },
          events: { copied: 4, kept: 0 },
          blobs: { copied: 2, kept: 0 },
          subscriptions: { copied: 0, kept: 0 },
          verified: true,
        });
        assert.deepEqual(await destination.records.list(), await source.records.list());
        assert.equal((await destination.records.get("users/1")).version, 3);
        const facts = async (store: Store) => (await store.events.list()).map(({ position: _, ...fact }) => fact);
        assert.deepEqual(await facts(destination), await facts(source));
        const { contentType, metadata, size } = (await destination.blobs.head("a/photo.png")) ?? {};
        assert.deepEqual([contentType, { ...metadata }, size], ["image/png", { by: "ada" }, big.length]);
        assert.ok(Buffer.from(await (await destination.blobs.get("a/photo.png")).bytes()).equals(big));
        const last = seen.filter(({ phase }) => phase === "records").at(-1);
        assert.deepEqual(last, { phase: "records", done: 250, total: 250 });
      });
    });
  }

  it("comes back from postgres and s3 as well", async () => {
    for (const from of [adapter("postgres"), adapter("s3")]) {
      await between(from, SQLITE, async (source, destination) => {
        await fill(source);
        assert.equal((await migrate(source, destination, { verify: true })).verified, true);
      });
    }
  });

  it("goes on where it was aborted, and a second run brings what was written meanwhile", async () => {
    await between(SQLITE, adapter("postgres"), async (source, destination) => {
      await fill(source);
      const stop = new AbortController();
      const onProgress = ({ phase, done }: MigrateProgress) => {
        if (phase === "records" && done >= 200) stop.abort();
      };
      await assert.rejects(migrate(source, destination, { onProgress, signal: stop.signal }), { code: "ABORTED" });
      assert.equal(await destination.records.count(), 200);
      await source.records.put("users/0", "changed");
      const again = await migrate(source, destination);
      assert.deepEqual(again.records, { copied: 51, kept: 199 });
      await source.events.append("orders", { id: 4 });
      await source.blobs.put("empty", "no longer");
      const last = await migrate(source, destination, { verify: true });
      assert.deepEqual([last.records.copied, last.events.copied, last.blobs.copied], [0, 1, 1]);
    });
  });

  it("a durable subscription goes on behind what it handled before", async () => {
    await between(SQLITE, adapter("postgres"), async (source, destination) => {
      await source.events.appendMany("a", [1, 2]);
      const first = await source.events.subscribe({ name: "mailer" }, () => {});
      while (first.position === undefined) await new Promise(setImmediate);
      const handled = first.position;
      await first.close();
      const at = (await source.events.list()).findIndex(({ position }) => position === first.position);
      assert.ok(at >= 0 && handled !== undefined);
      await source.events.appendMany("b", [3, 4]);
      await migrate(source, destination);
      await destination.events.append("c", 5);
      assert.deepEqual(await handle(destination, 4 - at), [1, 2, 3, 4, 5].slice(at + 1));
    });
  });

  it("refuses a destination whose streams have other events, and one store as both", async () => {
    await between(SQLITE, adapter("memory"), async (source, destination) => {
      await source.events.appendMany("orders", [1, 2, 3]);
      await destination.events.append("orders", "theirs", { id: "theirs" });
      const refused = migrate(source, destination);
      await assert.rejects(refused, { code: "MIGRATION_DIVERGED", name: "ConflictError" });
      assert.equal(await destination.events.version("orders"), 1);
      await assert.rejects(migrate(source, source), { code: "INVALID_OPTION" });
    });
  });

  it("holdfast migrate does the same, says what it did, and repeats no password that it can't read", async () => {
    const rooms = [await SQLITE.prepare(), await SQLITE.prepare()] as const;
    const [from = "", to = ""] = rooms.map((room) => `sqlite:${room.options.path}`);
    await using source = await createStore("source", rooms[0].options);
    await fill(source);
    const cli = (...args: string[]) => run(process.execPath, ["dist/lib/cli/index.js", "migrate", ...args]);
    const { stdout, stderr } = await cli(from, to, "--verify");
    assert.match(stdout, /records: 250 copied, 0 there already\n.*verified: everything is equal/s);
    assert.match(stderr, /records\nkv\nevents\nblobs\nverify/);
    const again = JSON.parse((await cli(from, to, "--json")).stdout);
    assert.deepEqual([again.records, again.verified], [{ copied: 0, kept: 250 }, false]);
    await assert.rejects(cli(from, "mysql://me:secret@host/db"), (error: { code: number; stderr: string }) => {
      assert.deepEqual([error.code, error.stderr.includes("secret")], [2, false]);
      return true;
    });
    await Promise.all(rooms.map((room) => room.clear()));
  });

  it("verify finds what differs, and names it", async () => {
    await between(SQLITE, adapter("memory"), async (source, destination) => {
      await source.records.put("a", 1);
      await destination.records.put("a", 2);
      await source.blobs.put("b", "one");
      await assert.rejects(migrate(source, destination, { verify: true }), {
        code: "MIGRATION_DIFFERS",
        details: { count: 1, differences: ["record a"] },
      });
    });
  });
});
