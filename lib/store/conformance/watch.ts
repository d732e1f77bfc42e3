import assert from "node:assert/strict";
import { ClosedError } from "../../errors.js";
import type { Change } from "../watch.js";
import { define } from "./suite.js";

const it = (name: string, run: Parameters<typeof define>[2], needs?: Parameters<typeof define>[3]) =>
  define("watch", name, run, needs);

/** The next changes of a watch. */
async function take<T>(watch: AsyncIterator<Change<T>>, count: number): Promise<Change<T>[]> {
  const changes: Change<T>[] = [];
  while (changes.length < count) {
    const { done, value } = await watch.next();
    if (done === true) break;
    changes.push(value);
  }
  return changes;
}

it("a watched key shows its puts and deletes, and no other key's", async ({ store }) => {
  const watch = store.records.watch("a");
  await store.records.put("a", { n: 1 });
  await store.records.put("ab", 0);
  await store.kv.set("a", 0);
  await store.records.put("a", { n: 2, at: new Date(3) });
  await store.records.delete("a");
  await store.records.put("a", null);
  assert.deepEqual(await take(watch, 4), [
    { type: "put", key: "a", value: { n: 1 }, version: 1 },
    { type: "put", key: "a", value: { n: 2, at: new Date(3) }, version: 2 },
    { type: "delete", key: "a" },
    { type: "put", key: "a", value: null, version: 3 },
  ]);
  await watch.return();
});

it("a watched prefix shows every way to change what lies under it", async ({ store }) => {
  const watch = store.kv.watch({ prefix: "a/" });
  await store.kv.set("a/1", 1);
  await store.kv.setMany({ "b/1": 0, "a/2": 2 });
  await store.kv.increment("a/n", 5);
  await store.kv.delete("a/none");
  await store.kv.deleteMany(["a/1", "b/1"]);
  await store.kv.deleteMany({ prefix: "a/2" });
  assert.deepEqual(await take(watch, 5), [
    { type: "put", key: "a/1", value: 1, version: 1 },
    { type: "put", key: "a/2", value: 2, version: 1 },
    { type: "put", key: "a/n", value: 5, version: 1 },
    { type: "delete", key: "a/1" },
    { type: "delete", key: "a/2" },
  ]);
  await watch.return();
});

it(
  "a watch shows an atomic commit's changes, and none of one that failed",
  async ({ store }) => {
    const watch = store.records.watch({ prefix: "" });
    await assert.rejects(store.atomic().put("a", 1).check("b", 7).commit());
    await store.atomic().set("k", 1).put("a", 1).put("b", 1).delete("a").commit();
    assert.deepEqual(
      (await take(watch, 3)).map(({ type, key }) => `${type} ${key}`),
      ["put a", "put b", "delete a"],
    );
    await watch.return();
  },
  "atomic",
);

it(
  "a watch shows changes in the order of commits",
  async ({ store }) => {
    const watch = store.kv.watch({ prefix: "" });
    await Promise.all(Array.from({ length: 200 }, (_, n) => store.kv.set(n % 2 === 0 ? "even" : "odd", n)));
    const changes = await take(watch, 200);
    assert.deepEqual(
      changes.map((change) => change.type === "put" && change.value),
      Array.from({ length: 200 }, (_, n) => n),
    );
    await watch.return();
  },
  "ordered",
);

it("what is shown can be read, and is as it was when it was put", async ({ store }) => {
  const value = { n: 1 };
  const watch = store.records.watch<{ n: number }>("a");
  const next = watch.next();
  const put = store.records.put("a", value);
  value.n = 2;
  const change = (await next).value;
  assert.deepEqual(change, { type: "put", key: "a", value: { n: 1 }, version: 1 });
  assert.deepEqual((await store.records.get("a")).value, { n: 1 });
  await put;
  await watch.return();
});

it("a watch ends with its signal, by break, and when the store is closed", async ({ store }) => {
  const stop = new AbortController();
  const waiting = store.kv.watch({ prefix: "" }, { signal: stop.signal }).next();
  stop.abort();
  assert.equal((await waiting).done, true);
  assert.equal((await store.kv.watch("a", { signal: AbortSignal.abort() }).next()).done, true);

  const watch = store.kv.watch("a");
  await store.kv.set("a", 1);
  for await (const _ of watch) break;
  assert.equal((await watch.next()).done, true);

  const open = store.kv.watch({ prefix: "" }).next();
  await store.close();
  assert.equal((await open).done, true);
  assert.throws(() => store.kv.watch("a"), ClosedError);
});

it("a reader that falls too far behind hears so, after what waited for it", async ({ store }) => {
  const watch = store.kv.watch({ prefix: "" });
  const items = Array.from({ length: 1001 }, (_, n) => ({ key: `k${n}`, value: n }));
  await store.kv.setMany(items);
  assert.equal((await take(watch, 1000)).length, 1000);
  await assert.rejects(watch.next(), { code: "WATCH_OVERFLOW", name: "ConflictError" });
  assert.equal((await watch.next()).done, true);
});

it("a watched key shows that it expired", async ({ store }) => {
  const alive = setInterval(() => {}, 1000);
  const watch = store.kv.watch("a");
  await store.kv.set("a", 1, { ttl: 50 });
  assert.deepEqual(await take(watch, 2), [
    { type: "put", key: "a", value: 1, version: 1 },
    { type: "delete", key: "a" },
  ]);
  clearInterval(alive);
  await watch.return();
});

it("what is no key and no prefix is refused", async ({ store }) => {
  assert.throws(() => store.kv.watch({} as { prefix: string }), { code: "INVALID_OPTION" });
  assert.throws(() => store.kv.watch("\ud800"), { code: "INVALID_KEY" });
  assert.throws(() => store.kv.watch("a", { singal: 1 } as object), { code: "INVALID_OPTION" });
});
