import assert from "node:assert/strict";
import { ConflictError } from "../../errors.js";
import { define } from "./suite.js";

const it = (name: string, run: Parameters<typeof define>[2], needs?: Parameters<typeof define>[3]) =>
  define("kv", name, run, needs);

it("set, get, has and delete", async ({ store }) => {
  assert.equal(await store.kv.get("a"), undefined);
  assert.equal(await store.kv.set("a", { x: 1 }), undefined);
  assert.deepEqual(await store.kv.get("a"), { x: 1 });
  assert.equal(await store.kv.has("a"), true);
  assert.deepEqual([await store.kv.delete("a"), await store.kv.delete("a")], [true, false]);
  assert.equal(await store.kv.has("a"), false);
});

it("kv and records do not see each other", async ({ store }) => {
  await store.kv.set("a", 1);
  assert.equal(await store.records.has("a"), false);
});

it("ttl makes a value go, and a set without it makes it stay", async ({ store }) => {
  await store.kv.setMany([
    { key: "a", value: 1, ttl: 1 },
    { key: "b", value: 1, ttl: 1 },
    { key: "c", value: 1 },
  ]);
  await store.kv.set("b", 2);
  while ((await store.kv.get("a")) !== undefined) await new Promise(setImmediate);
  assert.deepEqual(await store.kv.keys(), ["b", "c"]);
});

it("ifVersion null sets only once", async ({ store }) => {
  const sets = Array.from({ length: 5 }, (_, n) => store.kv.set("lock", n, { ifVersion: null }));
  const outcomes = await Promise.allSettled(sets);
  assert.equal(outcomes.filter(({ status }) => status === "fulfilled").length, 1);
  await assert.rejects(store.kv.set("lock", 9, { ifVersion: null }), ConflictError);
});

it("list gives keys and values, keys gives keys", async ({ store }) => {
  await store.kv.setMany({ "a/1": 1, "a/2": new Date(0), b: 3 });
  assert.deepEqual(await store.kv.list({ prefix: "a/" }), [
    { key: "a/1", value: 1 },
    { key: "a/2", value: new Date(0) },
  ]);
  assert.deepEqual(await store.kv.keys({ reverse: true }), ["b", "a/2", "a/1"]);
  assert.equal(await store.kv.count({ prefix: "a/" }), 2);
});

it("getMany and setMany take many at once", async ({ store }) => {
  await store.kv.setMany(
    new Map([
      ["a", 1],
      ["b", 2],
    ]),
  );
  assert.deepEqual(await store.kv.getMany(["b", "x", "a", "b"]), [2, undefined, 1, 2]);
  assert.deepEqual(await store.kv.getMany([]), []);
  assert.equal(await store.kv.deleteMany(["a", "x"]), 1);
  assert.equal(await store.kv.deleteMany({ prefix: "" }), 1);
});

it("increment counts from 0 and answers with the sum", async ({ store }) => {
  assert.deepEqual([await store.kv.increment("n"), await store.kv.increment("n", 4.5)], [1, 5.5]);
  assert.equal(await store.kv.get("n"), 5.5);
  await Promise.all(Array.from({ length: 10 }, () => store.kv.increment("m", -1)));
  assert.equal(await store.kv.get("m"), -10);
});

it("increment refuses what is no number and leaves it", async ({ store }) => {
  await store.kv.set("s", "1");
  await assert.rejects(store.kv.increment("s"), { code: "NOT_A_NUMBER" });
  await assert.rejects(store.kv.increment("n", Number.NaN), { code: "NOT_A_NUMBER" });
  assert.equal(await store.kv.get("s"), "1");
  await store.kv.set("null", null);
  await assert.rejects(store.kv.increment("null", 0), { code: "NOT_A_NUMBER" });
  assert.equal(await store.kv.get("null"), null);
});

it("values keep their types", async ({ store }) => {
  const value = { big: 1n, set: new Set([1]), bytes: new Uint8Array([1, 2]) };
  await store.kv.set("a", value);
  assert.deepStrictEqual(await store.kv.get("a"), value);
  assert.deepStrictEqual(await store.kv.getMany(["a"]), [value]);
});
