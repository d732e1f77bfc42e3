// Keyv and unstorage on stores: Keyv's published suite, and what unstorage asks of its own drivers.
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { keyvApiTests, keyvIteratorTests, keyvNamespaceTest, keyvValueTests } from "@keyv/test-suite";
import { expect } from "expect";
import { createStore, type Store } from "holdfast";
import { KeyvStore } from "holdfast/keyv";
import { unstorageDriver } from "holdfast/unstorage";
import Keyv from "keyv";
import { createStorage, prefixStorage, type Storage } from "unstorage";
import { ADAPTERS, type Room } from "./conformance/adapters.js";

type Suite = typeof keyvApiTests;

/** What Keyv's suite wants of a test framework, on node:test. */
const framework = {
  it: (name: string, work: (context: { expect: typeof expect }) => unknown) => {
    it(name, async () => {
      await work({ expect });
    });
  },
  beforeEach: (work: () => unknown) => beforeEach(async () => void (await work())),
  afterEach: (work: () => unknown) => afterEach(async () => void (await work())),
} as unknown as Parameters<Suite>[0];

for (const adapter of ADAPTERS) {
  describe(`${adapter.name}: Keyv`, () => {
    let room: Room;
    let store: Store;
    before(async () => {
      room = await adapter.prepare();
      store = await createStore("keyv", room.options);
    });
    after(async () => {
      await store.close();
      await room.clear();
    });

    const suites: [string, Suite][] = [
      ["its interface", keyvApiTests],
      ["its values", keyvValueTests],
      ["its namespaces", keyvNamespaceTest],
      ["its iterators", keyvIteratorTests as unknown as Suite],
    ];
    for (const [name, suite] of suites) {
      describe(`Keyv's suite: ${name}`, () => suite(framework, Keyv as never, (() => new KeyvStore(store)) as never));
    }

    it("an entry expires in the store as well, and a namespace is a prefix of its keys", async () => {
      const keyv = new Keyv({ store: new KeyvStore(store), namespace: "cache" });
      await keyv.set("a", { n: 1 }, 3_600_000);
      assert.deepEqual(await store.kv.keys({ prefix: "cache:" }), ["cache:a"]);
      assert.deepEqual(await keyv.get("a"), { n: 1 });
      await keyv.set("brief", 1, 1);
      while ((await store.kv.get("cache:brief")) !== undefined) await new Promise(setImmediate);
    });
  });

  describe(`${adapter.name}: unstorage`, () => {
    let room: Room;
    let store: Store;
    let storage: Storage;
    beforeEach(async () => {
      room = await adapter.prepare();
      store = await createStore("unstorage", room.options);
      storage = createStorage({ driver: unstorageDriver(store) });
    });
    afterEach(async () => {
      await storage.dispose();
      await room.clear();
    });

    it("sets, gets, finds and removes values of every kind", async () => {
      const values = {
        text: "x",
        empty: "",
        number: 5,
        yes: true,
        object: { json: { works: [true] } },
        list: [1, "b"],
      };
      for (const [key, value] of Object.entries(values)) await storage.setItem(`s1:${key}`, value);
      for (const [key, value] of Object.entries(values)) assert.deepEqual(await storage.getItem(`s1:${key}`), value);
      assert.equal(await storage.hasItem("s1:text"), true);
      await storage.removeItem("s1:text");
      assert.deepEqual([await storage.hasItem("s1:text"), await storage.getItem("s1:text")], [false, null]);
      assert.equal(await storage.getItem("none"), null);
    });

    it("sets and gets many, and raw bytes", async () => {
      await storage.setItems(
        [
          { key: "a", value: "1" },
          { key: "b", value: "2" },
        ].map((item) => ({ ...item, options: {} })),
      );
      const found = await storage.getItems(["a", "b", "c"]);
      assert.deepEqual(
        found.map(({ key, value }) => [key, value]),
        [
          ["a", 1],
          ["b", 2],
          ["c", null],
        ],
      );
      const bytes = new Uint8Array([1, 2, 3, 255]);
      await storage.setItemRaw("raw", bytes);
      assert.deepEqual(await storage.getItemRaw<Uint8Array>("raw"), bytes);
    });

    it("lists keys under a base, and clears all", async () => {
      for (const key of ["s1:a", "s2:a", "s2:b", "s3"]) await storage.setItem(key, 1);
      assert.deepEqual((await storage.getKeys()).sort(), ["s1:a", "s2:a", "s2:b", "s3"]);
      assert.deepEqual((await storage.getKeys("s2")).sort(), ["s2:a", "s2:b"]);
      assert.deepEqual((await prefixStorage(storage, "s2").getKeys()).sort(), ["a", "b"]);
      await storage.clear();
      assert.deepEqual(await storage.getKeys(), []);
    });

    it("is mounted beside another, and tells what changes", async () => {
      const heard: string[] = [];
      const unwatch = await storage.watch((event, key) => heard.push(`${event} ${key}`));
      await storage.setItem("s1:a", "x");
      await storage.removeItem("s1:a");
      while (heard.length < 2) await new Promise(setImmediate);
      assert.deepEqual(heard, ["update s1:a", "remove s1:a"]);
      await unwatch();
      const outer = createStorage();
      outer.mount("inner", unstorageDriver(store));
      await outer.setItem("inner:k", "v");
      assert.equal(await store.kv.get("k"), "v");
    });

    it("an item with a ttl, in seconds, goes", async () => {
      await storage.setItem("brief", "x", { ttl: 0.001 });
      while (await storage.hasItem("brief")) await new Promise(setImmediate);
      assert.equal(await storage.getItem("brief"), null);
    });
  });
}
