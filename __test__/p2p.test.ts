// Stores among peers: what each writes, all see. Real sockets on the loopback.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { createStore, type Store, type StoreOptions } from "holdfast";
import { code, script, until } from "./store-scripts.js";

let folder: string;
let stores = 0;
/** Stores keep no process alive, that of the tests neither. */
const alive = setInterval(() => {}, 1000);

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "holdfast-p2p-"));
});
after(async () => {
  clearInterval(alive);
  await rm(folder, { recursive: true, force: true });
});

/** Options of a peer with a file of its own that knows these others. */
function peer(...others: Store[]): StoreOptions {
  stores += 1;
  const peers = others.flatMap((other) => other.p2p?.addresses() ?? []);
  return {
    adapter: "p2p",
    path: join(folder, `${stores}.db`),
    discovery: { topic: "tests" },
    secret: "it is a secret",
    listen: "127.0.0.1:0",
    peers,
  };
}

describe("createStore among peers", () => {
  it("takes the settings as the documents print them", async () => {
    const path = join(folder, "printed.db");
    await using store = await createStore({
      name: "my-app",
      adapter: "p2p",
      path,
      discovery: {
        method: "mdns", // or "dht" for wide-area
        topic: "my-app-sync",
      },
    });
    await store.records.put("a", { b: 1 });
    assert.deepEqual((await store.records.get("a")).value, { b: 1 });
    assert.match(store.p2p?.id ?? "", /^[0-9a-f]{32}$/);
    assert.deepEqual([store.capabilities.multiProcess, store.capabilities.notifies], [false, true]);
  });

  it("says what is wrong with settings", async () => {
    const of = (more: object) => code(createStore("x", { ...peer(), ...more } as StoreOptions));
    assert.equal(await of({ discovery: undefined }), "TOPIC_MISSING");
    assert.equal(await of({ discovery: { topic: "t", method: "dht" } }), "DISCOVERY_NOT_AVAILABLE");
    assert.equal(await of({ discovery: { topic: "t", metod: "mdns" } }), "UNKNOWN_OPTION");
    assert.equal(await of({ secret: undefined }), "CREDENTIALS_MISSING");
    assert.equal(await of({ peers: ["nowhere"] }), "INVALID_SETTINGS");
    assert.equal(await of({ maxPeers: 0 }), "INVALID_SETTINGS");
    assert.equal(await of({ listen: "localhost" }), "INVALID_SETTINGS");
    assert.equal(await of({ listen: "192.0.2.1:1" }), "CANNOT_LISTEN");
  });

  it("keeps one store on three peers", async () => {
    await using one = await createStore("one", peer());
    await using two = await createStore("two", peer(one));
    await using three = await createStore("three", peer(two));
    const all = [one, two, three];
    await Promise.all(all.map((store, at) => store.records.put(`r${at}`, { at, when: new Date(at) })));
    await Promise.all(all.map((store) => store.kv.increment("count", 2)));
    await Promise.all(all.map((store, at) => store.events.append("s", { at })));
    for (const store of all) {
      await until(async () => (await store.records.count()) === 3);
      await until(async () => (await store.kv.get("count")) === 6);
      await until(async () => (await store.events.version("s")) === 3);
    }
    const seen = async (store: Store) => ({
      records: (await store.records.list()).map(({ key, value }) => [key, value]),
      events: (await store.events.list({ stream: "s" })).map(({ id, version, payload }) => [id, version, payload]),
    });
    const first = await seen(one);
    assert.deepEqual(first.records[2], ["r2", { at: 2, when: new Date(2) }]);
    assert.deepEqual(await seen(two), first);
    assert.deepEqual(await seen(three), first);
  });

  it("merges what peers changed in different fields, and tells of a field that both changed", async () => {
    const options = [peer(), peer()];
    const [one, two] = await Promise.all(options.map((each, at) => createStore(`peer${at}`, each)));
    assert.ok(one && two);
    await one.records.put("todo", { title: "one", done: false });
    await two.records.put("todo", { title: "two", by: "two" });
    const conflicts: { path: string[]; local: unknown; remote: unknown }[] = [];
    for (const store of [one, two]) store.on("record:conflict", (conflict) => conflicts.push(conflict));
    // The third brings the two together.
    await using three = await createStore("three", peer(one, two));
    for (const store of [one, two, three]) {
      await until(async () => Object.keys((await store.records.find<object>("todo"))?.value ?? {}).length === 3);
    }
    const merged = { by: "two", done: false, title: "two" };
    for (const store of [one, two, three]) assert.deepEqual((await store.records.get("todo")).value, merged);
    await until(() => conflicts.length > 0);
    const [conflict] = conflicts;
    assert.deepEqual(conflict?.path, ["title"]);
    assert.deepEqual([conflict?.local, conflict?.remote].sort(), ["one", "two"]);
    await Promise.all([one.close(), two.close()]);
  });

  it("tells of peers that come and go, and of being in step", async () => {
    await using one = await createStore("one", peer());
    const told: string[] = [];
    one.on("peer:*", ({ peer }, type) => told.push(`${type} ${peer}`));
    one.on("sync:complete", ({ peer }, type) => told.push(`${type} ${peer}`));
    const two = await createStore("two", peer(one));
    const id = two.p2p?.id;
    await until(() => told.includes(`peer:connect ${id}`) && told.includes(`sync:complete ${id}`));
    const [status] = one.p2p?.peers() ?? [];
    assert.deepEqual([status?.id, status?.inSync], [id, true]);
    assert.match(status?.address ?? "", /^127\.0\.0\.1:\d+$/);
    await two.close();
    await until(() => told.includes(`peer:disconnect ${id}`));
    await until(() => one.p2p?.peers().length === 0);
  });

  it("shows other peers' changes to watches and to live readers", async () => {
    await using one = await createStore("one", peer());
    await using two = await createStore("two", peer(one));
    const stop = new AbortController();
    const watch = one.kv.watch("theme", { signal: stop.signal });
    const changes = watch[Symbol.asyncIterator]();
    const next = changes.next();
    const events = one.events.read({ stream: "s", live: true, signal: stop.signal });
    const event = events.next();
    // A watch shows what happens once it has begun, so the change is made until it is seen.
    let seen = false;
    void next.then(() => {
      seen = true;
    });
    let n = 0;
    await until(async () => {
      n += 1;
      await two.kv.set("theme", n);
      return seen;
    });
    const { value: change } = await next;
    assert.deepEqual([change?.type, change?.key], ["put", "theme"]);
    await two.events.append("s", "late");
    assert.equal((await event).value?.payload, "late");
    stop.abort();
  });

  it("loses nothing that a killed process had acknowledged", async () => {
    await using one = await createStore("one", peer());
    const options = peer(one);
    const killed = `
      const store = await createStore("killed", { ...options, peers: [] });
      for (let n = 0; n < 200; n += 1) await store.kv.set("k" + n, n);
      process.kill(process.pid, "SIGKILL");`;
    await assert.rejects(script(killed, options), { signal: "SIGKILL" });
    await using again = await createStore("killed", options);
    assert.equal(await again.kv.count(), 200);
    await until(async () => (await one.kv.count()) === 200);
  });

  it("lets a process end though its store is open and connected", async () => {
    await using one = await createStore("one", peer());
    const open = `
      const store = await createStore("open", options);
      store.on("peer:connect", () => {});
      await store.kv.set("from", "another process");
      while ((await store.kv.get("back")) === undefined) await new Promise((resolve) => setTimeout(resolve, 10));
      console.log("done");`;
    const printed = script(open, peer(one));
    await until(async () => (await one.kv.get("from")) === "another process");
    await one.kv.set("back", 1);
    assert.match(await printed, /done/);
  });

  it("keeps out who does not know the secret", async () => {
    await using one = await createStore("one", peer());
    await one.kv.set("a", 1);
    await using stranger = await createStore("stranger", { ...peer(one), secret: "a guess" });
    const { secret: _, ...open } = peer(one);
    await using without = await createStore("without", open);
    // A member that comes later is served; the strangers had as much time.
    await using member = await createStore("member", peer(one));
    await until(async () => (await member.kv.get("a")) === 1);
    assert.deepEqual([await stranger.kv.count(), await without.kv.count()], [0, 0]);
    assert.deepEqual(
      one.p2p?.peers().map(({ id }) => id),
      [member.p2p?.id],
    );
  });
});
