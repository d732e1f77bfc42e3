import assert from "node:assert/strict";
import type { StoredEvent } from "../events.js";
import type { Store } from "../store.js";
import { define } from "./suite.js";

const it = (name: string, run: Parameters<typeof define>[2], needs?: Parameters<typeof define>[3]) =>
  define("subscribe", name, run, needs);

/** A handler that keeps payloads, and a promise of the moment when it has `count` of them. */
function keeper(count: number): {
  seen: unknown[];
  full: Promise<void>;
  handler: (event: StoredEvent<unknown>) => void;
} {
  const seen: unknown[] = [];
  let fill = () => {};
  const full = new Promise<void>((resolve) => {
    fill = resolve;
  });
  const handler = ({ payload }: StoredEvent<unknown>) => {
    seen.push(payload);
    if (seen.length === count) fill();
  };
  return { seen, full, handler };
}

/** Hears what is there, up to `count` events, then closes. */
async function hear(store: Store, options: { name: string; stream?: string; from?: string }, count: number) {
  const { seen, full, handler } = keeper(count);
  const subscription = await store.events.subscribe(options, handler);
  await full;
  await subscription.close();
  return seen;
}

it("a handler gets what is there and what comes, one at a time and in order", async ({ store }) => {
  await store.events.appendMany("s", [1, 2]);
  let running = 0;
  const { seen, full, handler } = keeper(4);
  const subscription = await store.events.subscribe({ name: "mailer" }, async (event) => {
    running += 1;
    assert.equal(running, 1);
    await new Promise(setImmediate);
    running -= 1;
    handler(event);
  });
  await store.events.append("t", 3);
  const last = await store.events.append("s", 4);
  await full;
  await subscription.close();
  assert.deepEqual(seen, [1, 2, 3, 4]);
  assert.equal(subscription.position, last.position);
});

it("a subscription goes on behind what it handled; another name, and another stream, begin anew", async ({ store }) => {
  await store.events.appendMany("s", [1, 2]);
  assert.deepEqual(await hear(store, { name: "one" }, 2), [1, 2]);
  await store.events.append("s", 3);
  assert.deepEqual(await hear(store, { name: "one" }, 1), [3]);
  assert.deepEqual(await hear(store, { name: "two" }, 3), [1, 2, 3]);
  assert.deepEqual(await hear(store, { name: "one", stream: "s" }, 3), [1, 2, 3]);
});

it(
  "a subscription outlives the store",
  async ({ store, reopen }) => {
    await store.events.appendMany("s", [1, 2]);
    await hear(store, { name: "one" }, 2);
    const again = await reopen();
    await again.events.append("s", 3);
    assert.deepEqual(await hear(again, { name: "one" }, 1), [3]);
  },
  "durable",
);

it("from says where to begin when nothing was handled yet, and nothing later", async ({ store }) => {
  const [first, second] = await store.events.appendMany("s", [1, 2, 3]);
  assert.deepEqual(await hear(store, { name: "one", stream: "s", from: first?.position ?? "" }, 2), [2, 3]);
  await store.events.append("s", 4);
  assert.deepEqual(await hear(store, { name: "one", stream: "s", from: second?.position ?? "" }, 1), [4]);
});

it("only the stream's events come, when one is named", async ({ store }) => {
  for (const n of [1, 2, 3, 4]) await store.events.append(n % 2 === 0 ? "even" : "odd", n);
  assert.deepEqual(await hear(store, { name: "one", stream: "even" }, 2), [2, 4]);
});

it("a handler that throws gets the same event again, and listener:error hears of it", async ({ store }) => {
  const alive = setInterval(() => {}, 1000);
  const errors: unknown[] = [];
  store.on("listener:error", ({ subscription, error }) => errors.push([subscription, (error as Error).message]));
  await store.events.appendMany("s", [1, 2]);
  const { seen, full, handler } = keeper(2);
  let attempts = 0;
  const subscription = await store.events.subscribe({ name: "one" }, async (event) => {
    attempts += 1;
    if (attempts < 3) throw new Error(`attempt ${attempts}`);
    handler(event);
  });
  await full;
  clearInterval(alive);
  await subscription.close();
  assert.deepEqual(seen, [1, 2]);
  assert.deepEqual(errors, [
    ["one", "attempt 1"],
    ["one", "attempt 2"],
  ]);
});

it("an event that was not handled comes again", async ({ store }) => {
  await store.events.appendMany("s", [1, 2]);
  const failed = new Promise<void>((resolve) => {
    store.on("listener:error", () => resolve());
  });
  const subscription = await store.events.subscribe({ name: "one" }, ({ payload }) => {
    if (payload === 2) throw new Error("not now");
  });
  await failed;
  await subscription.close();
  assert.deepEqual(await hear(store, { name: "one" }, 1), [2]);
});

it("close waits for the event under way, its handler may close, and closing the store closes it", async ({ store }) => {
  await store.events.appendMany("s", [1, 2, 3]);
  const seen: unknown[] = [];
  const closed = new Promise<void>((resolve, reject) => {
    const opening = store.events.subscribe({ name: "one" }, async ({ payload }) => {
      seen.push(payload);
      await (await opening).close().then(resolve, reject);
    });
  });
  await closed;
  let finished = false;
  const begun = new Promise<void>((resolve, reject) => {
    store.events
      .subscribe({ name: "two" }, async () => {
        resolve();
        await new Promise(setImmediate);
        await store.kv.set("a", 1);
        finished = true;
      })
      .catch(reject);
  });
  await begun;
  await store.close();
  assert.deepEqual([seen, finished], [[1], true]);
});

it("one name is open once in a store, until it is closed or its signal is aborted", async ({ store }) => {
  const stop = new AbortController();
  const one = await store.events.subscribe({ name: "one", signal: stop.signal }, () => {});
  await assert.rejects(
    store.events.subscribe({ name: "one" }, () => {}),
    { code: "SUBSCRIPTION_TAKEN", name: "ConflictError" },
  );
  stop.abort();
  await one.close();
  await (await store.events.subscribe({ name: "one" }, () => {})).close();
});

it("checkpoints are in nobody's way", async ({ store }) => {
  await store.events.append("s", 1);
  await hear(store, { name: "one" }, 1);
  assert.deepEqual([await store.records.list(), await store.kv.list(), await store.blobs.list()], [[], [], []]);
  assert.deepEqual(await store.events.streams(), [{ stream: "s", version: 1 }]);
});

it("a subscription without a name, or without a handler, is refused", async ({ store }) => {
  await assert.rejects(
    store.events.subscribe({ name: "" }, () => {}),
    { code: "INVALID_KEY" },
  );
  await assert.rejects(store.events.subscribe({ name: "a" }, undefined as unknown as () => void), {
    code: "INVALID_OPTION",
  });
  await assert.rejects(
    store.events.subscribe({ name: "a", form: "x" } as never, () => {}),
    { code: "INVALID_OPTION" },
  );
});
