// Several processes on one SQLite file hear of each other.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { createStore, type StoreOptions } from "holdfast";
import { Hearing, script, until } from "./store-scripts.js";

let folder: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "holdfast-"));
});

after(() => rm(folder, { recursive: true, force: true }));

/** Runs a body in a process of its own, in which `store` is open. */
function elsewhere(body: string, options: StoreOptions): Promise<string> {
  return script(`const store = await createStore("x", options); ${body} await store.close();`, options);
}

describe("createStore on SQLite: several processes", () => {
  it("hear of each other's changes and events: prefix watches, live readers, subscriptions", async () => {
    const options = { path: join(folder, "heard.db") };
    await using store = await createStore("x", options);
    await store.kv.setMany({ "a/1": 0, "b/1": 0 });
    const hearing = await Hearing.on(store, "a/");
    const { changes, read, handled } = hearing;
    // Following begins a moment after the call; what others do before is not seen.
    do await elsewhere(`await store.kv.set("a/began", 0);`, options);
    while (changes.length === 0);
    changes.length = 0;
    await elsewhere(
      `await store.kv.setMany({ "a/1": 1, "b/1": 1, "a/2": { at: new Date(5) } });
       await store.events.append("s", "hello");`,
      options,
    );
    const of = (key: string) => changes.filter((change) => change.key === key);
    await until(() => of("a/1").length >= 1 && of("a/2").length >= 1 && read.length >= 1 && handled.length >= 1);
    await elsewhere(`await store.kv.delete("a/1");`, options);
    await until(() => of("a/1").length >= 2);
    await store.kv.set("a/1", 7);
    await until(() => of("a/1").length >= 3);
    await hearing.stop();
    assert.deepEqual(
      changes.filter(({ key }) => key !== "a/began"),
      [
        { type: "put", key: "a/1", value: 1, version: 2 },
        { type: "put", key: "a/2", value: { at: new Date(5) }, version: 1 },
        { type: "delete", key: "a/1" },
        { type: "put", key: "a/1", value: 7, version: 3 },
      ],
    );
    assert.deepEqual([read, handled], [["hello"], ["hello"]]);
  });
});
