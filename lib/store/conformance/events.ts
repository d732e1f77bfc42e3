import assert from "node:assert/strict";
import { ConflictError } from "../../errors.js";
import { define } from "./suite.js";

const it = (name: string, run: Parameters<typeof define>[2], needs?: Parameters<typeof define>[3]) =>
  define("events", name, run, needs);

it("append answers with the event; versions have no gaps, positions grow", async ({ store }) => {
  const first = await store.events.append("orders/1", { type: "placed" });
  const other = await store.events.append("orders/2", { type: "placed" });
  const second = await store.events.append("orders/1", { type: "paid" });
  assert.deepEqual([first.stream, first.payload, first.version], ["orders/1", { type: "placed" }, 1]);
  assert.ok(first.timestamp instanceof Date && first.id.length > 10);
  assert.deepEqual([other.version, second.version], [1, 2]);
  assert.ok(first.position < other.position && other.position < second.position);
  assert.equal(await store.events.version("orders/1"), 2);
  assert.equal(await store.events.version("none"), 0);
});

it("expectedVersion guards a stream", async ({ store }) => {
  await store.events.append("s", 1, { expectedVersion: 0 });
  await assert.rejects(store.events.append("s", 2, { expectedVersion: 0 }), ConflictError);
  await store.events.append("s", 2, { expectedVersion: 1 });
  assert.equal(await store.events.version("s"), 2);
});

it("an event sent again with its id is stored once", async ({ store }) => {
  const first = await store.events.append("s", { n: 1 }, { id: "e1" });
  assert.deepEqual(await store.events.append("s", { n: 1 }, { id: "e1" }), first);
  await assert.rejects(store.events.append("s", { n: 2 }, { id: "e1" }), { code: "EVENT_ID_TAKEN" });
  assert.equal(await store.events.version("s"), 1);
});

it("list follows positions, by stream, since a time, behind a position, in both directions", async ({ store }) => {
  for (const n of [1, 2, 3, 4]) await store.events.append(n % 2 === 0 ? "even" : "odd", n);
  const payloads = async (options?: Parameters<typeof store.events.list>[0]) =>
    (await store.events.list(options)).map(({ payload }) => payload);
  assert.deepEqual(await payloads(), [1, 2, 3, 4]);
  assert.deepEqual(await payloads({ stream: "odd" }), [1, 3]);
  assert.deepEqual(await payloads({ direction: "backward", limit: 3 }), [4, 3, 2]);
  const [first] = await store.events.list({ limit: 1 });
  assert.deepEqual(await payloads({ after: first?.position ?? "" }), [2, 3, 4]);
  assert.deepEqual(await payloads({ since: new Date(Date.now() + 60_000) }), []);
  assert.deepEqual(await payloads({ since: 0 }), [1, 2, 3, 4]);
  const page = await store.events.list({ limit: 3 }).page();
  assert.deepEqual(await payloads({ limit: 3, cursor: page.cursor ?? "" }), [4]);
});

it("appendMany appends payloads to one stream, or events to several", async ({ store }) => {
  const appended = await store.events.appendMany("s", [1, 2, 3], { expectedVersion: 0 });
  assert.deepEqual(
    appended.map(({ version }) => version),
    [1, 2, 3],
  );
  await store.events.appendMany([
    { stream: "t", payload: 4 },
    { stream: "s", payload: 5 },
  ]);
  assert.deepEqual(
    (await store.events.list()).map(({ payload }) => payload),
    [1, 2, 3, 4, 5],
  );
  assert.deepEqual(await store.events.streams(), [
    { stream: "s", version: 4 },
    { stream: "t", version: 1 },
  ]);
});

it("read streams what is there and ends", async ({ store }) => {
  const events = await store.events.appendMany("s", [1, 2, 3]);
  const read: unknown[] = [];
  for await (const event of store.events.read({ stream: "s", from: events[0]?.position ?? "" }))
    read.push(event.payload);
  assert.deepEqual(read, [2, 3]);
});

it("a live reader goes on with what is appended, until its signal", async ({ store }) => {
  await store.events.append("s", 1);
  const stop = new AbortController();
  const read: unknown[] = [];
  for await (const event of store.events.read({ live: true, signal: stop.signal })) {
    read.push(event.payload);
    if (read.length === 1) void store.events.append("s", 2);
    if (read.length === 2) stop.abort();
  }
  assert.deepEqual(read, [1, 2]);
});

it("payloads keep their types", async ({ store }) => {
  const payload = { at: new Date(5), big: 7n };
  await store.events.append("s", payload);
  assert.deepStrictEqual((await store.events.list())[0]?.payload, payload);
});
