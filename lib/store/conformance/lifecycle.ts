import assert from "node:assert/strict";
import { CapabilityError, ClosedError, ConflictError } from "../../errors.js";
import { define } from "./suite.js";

const it = (name: string, run: Parameters<typeof define>[2], needs?: Parameters<typeof define>[3]) =>
  define("store", name, run, needs);

it("listeners hear what was committed, by type and by pattern", async ({ store }) => {
  const all: unknown[] = [];
  store.on("*", (event, type) => all.push([type, event]));
  const records: string[] = [];
  const off = store.on("record:*", (event, type) => records.push(`${type} ${event.key}`));
  await store.records.put("a", 1);
  await store.kv.set("k", 2);
  await store.records.delete("a");
  await store.records.delete("a");
  await store.blobs.put("b", "xyz");
  const { id, position } = await store.events.append("s", 3);
  off();
  await store.records.put("c", 1);
  assert.deepEqual(records, ["record:put a", "record:delete a"]);
  assert.deepEqual(all.slice(0, 6), [
    ["record:put", { key: "a", value: 1, version: 1 }],
    ["kv:set", { key: "k", value: 2, version: 1 }],
    ["record:delete", { key: "a" }],
    ["blob:upload:progress", { key: "b", loaded: 3, total: 3 }],
    ["blob:put", { key: "b", size: 3 }],
    ["event:append", { stream: "s", payload: 3, id, version: 1, position }],
  ]);
});

it("a listener hears of a write once it can be read, and never of one that failed", async ({ store }) => {
  const seen: Promise<unknown>[] = [];
  store.on("record:put", ({ key, version }) => {
    seen.push(store.records.get(key).then((record) => [version, record.version]));
  });
  await store.records.put("a", 1);
  await assert.rejects(store.records.put("a", 2, { ifVersion: 9 }), ConflictError);
  assert.deepEqual(await Promise.all(seen), [[1, 1]]);
});

it("a listener that throws reaches listener:error and breaks nothing", async ({ store }) => {
  const errors: unknown[] = [];
  store.on("listener:error", ({ type, error }) => errors.push([type, (error as Error).message]));
  store.on("record:put", () => {
    throw new Error("one");
  });
  store.on("record:put", async () => {
    throw new Error("two");
  });
  await store.records.put("a", 1);
  await new Promise(setImmediate);
  assert.deepEqual(errors, [
    ["record:put", "one"],
    ["record:put", "two"],
  ]);
});

it("once hears one event, and an unknown type is refused", async ({ store }) => {
  let count = 0;
  store.once("kv:set", () => {
    count += 1;
  });
  await store.kv.set("a", 1);
  await store.kv.set("a", 2);
  assert.equal(count, 1);
  assert.throws(() => store.on("record:puts" as "record:put", () => {}), { code: "UNKNOWN_EVENT" });
});

it(
  "events are delivered in the order of commits",
  async ({ store }) => {
    const versions: number[] = [];
    store.on("kv:set", ({ version }) => versions.push(version));
    await Promise.all(Array.from({ length: 200 }, (_, n) => store.kv.set("a", n)));
    assert.deepEqual(
      versions,
      Array.from({ length: 200 }, (_, n) => n + 1),
    );
  },
  "ordered",
);

it("an atomic commit does all or nothing, or is a CapabilityError", async ({ store }) => {
  const change = (version: number | null) =>
    store.atomic().check("a", version).put("a", { n: 1 }).set("k", 2).append("s", 3).commit();
  if (!store.capabilities.atomic) {
    await assert.rejects(change(null), CapabilityError);
    assert.equal(await store.records.has("a"), false);
    return;
  }
  const heard: string[] = [];
  store.on("*", (_, type) => heard.push(type));
  await change(null);
  await assert.rejects(change(7), ConflictError);
  assert.deepEqual([await store.kv.get("k"), await store.events.version("s")], [2, 1]);
  assert.equal((await store.records.get("a")).version, 1);
  assert.deepEqual(heard, ["record:put", "kv:set", "event:append"]);
});

it("calls after close are ClosedErrors, and closing twice is fine", async ({ store }) => {
  await store.kv.set("a", 1);
  await store.close();
  await store.close();
  await assert.rejects(store.kv.get("a"), { name: "ClosedError", code: "CLOSED" });
  await assert.rejects(store.kv.set("a", 2), ClosedError);
  await assert.rejects(store.blobs.put("b", "x"), ClosedError);
  await assert.rejects(store.events.append("s", 1), ClosedError);
});

it(
  "close waits for writes in flight",
  async ({ store, reopen }) => {
    const writes = Array.from({ length: 20 }, (_, n) => store.kv.set(`k${n}`, n));
    const again = await reopen();
    await Promise.all(writes);
    assert.equal(await again.kv.count(), 20);
  },
  "durable",
);
