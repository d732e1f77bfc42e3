import assert from "node:assert/strict";
import type { PersistAdapter } from "../options.js";
import { defineDirect } from "./suite.js";

const it = (name: string, run: (adapter: PersistAdapter) => Promise<void>) => defineDirect("methods", name, run);

async function namesUnder(adapter: PersistAdapter, prefix: string): Promise<string[]> {
  const names: string[] = [];
  const listed = (await adapter.list(prefix)) as AsyncIterable<{ key: string; value: unknown }>;
  for await (const { key, value } of listed) {
    names.push(key);
    assert.deepEqual(value, await adapter.get(key));
  }
  return names.sort();
}

it("get of what is not there is undefined or null", async (adapter) => {
  assert.equal((await adapter.get("none")) ?? undefined, undefined);
});

it("get gives what put was given, and the last put counts", async (adapter) => {
  const value = { text: "é\u0000😀", list: [1, null, true, { deep: -1.5 }], empty: {} };
  await adapter.put("a", { old: 1 });
  await adapter.put("a", value);
  assert.deepEqual(await adapter.get("a"), value);
});

it("a value that is changed after put, or after get, is not changed in the adapter", async (adapter) => {
  const value = { list: [1] };
  await adapter.put("a", value);
  value.list.push(2);
  const read = (await adapter.get("a")) as typeof value;
  assert.deepEqual(read, { list: [1] });
  read.list.push(3);
  assert.deepEqual(await adapter.get("a"), { list: [1] });
});

it("deleted keys are gone, and deleting what is not there is no error", async (adapter) => {
  await adapter.put("a", 1);
  await adapter.delete("a");
  await adapter.delete("a");
  assert.equal((await adapter.get("a")) ?? undefined, undefined);
  assert.deepEqual(await namesUnder(adapter, ""), []);
});

it("keys are kept exactly", async (adapter) => {
  const keys = [
    "a",
    "A",
    "a/b",
    "a//b",
    "../a",
    " a ",
    "é",
    "e\u0301",
    "😀",
    "שלום",
    "a%2Fb",
    "a\nb",
    "x".repeat(1000),
  ];
  for (const key of keys) await adapter.put(key, key);
  for (const key of keys) assert.equal(await adapter.get(key), key);
  assert.deepEqual(await namesUnder(adapter, ""), [...keys].sort());
});

it("list gives every key under the prefix, none twice and no other", async (adapter) => {
  const keys = Array.from({ length: 250 }, (_, n) => `p/${n}`);
  for (const key of [...keys, "p", "q/1", "P/1", "xp/1"]) await adapter.put(key, 1);
  await adapter.put("p/1", 2);
  assert.deepEqual(await namesUnder(adapter, "p/"), keys.sort());
});

it("several calls at once do not disturb each other", async (adapter) => {
  const keys = Array.from({ length: 20 }, (_, n) => `k${n}`);
  await Promise.all(keys.map((key) => adapter.put(key, key)));
  assert.deepEqual(await Promise.all(keys.map((key) => adapter.get(key))), keys);
});
