import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { createStore, type PersistError, type Store, type StoreOptions } from "holdfast";
import { PostgresServer } from "./postgres-server.js";
import { code, script, until } from "./store-scripts.js";

const run = promisify(execFile);
let server: PostgresServer;
let schemas = 0;
/** Stores, watches and readers keep no process alive, that of the tests neither. */
const alive = setInterval(() => {}, 1000);

before(async () => {
  server = await PostgresServer.start();
});
after(async () => {
  clearInterval(alive);
  await server.stop();
});

/** Options of a store in a schema that nobody has used. */
function fresh(): StoreOptions & { schema: string } {
  schemas += 1;
  return { adapter: "postgres", connection: server.connection(), schema: `test_${schemas}` };
}

/** Increments until told to end; gives back how many were acknowledged. */
function load(store: Store, workers: number): { end: () => Promise<number>; errors: unknown[] } {
  let isOver = false;
  let acknowledged = 0;
  const errors: unknown[] = [];
  const work = async (worker: number) => {
    while (!isOver) {
      try {
        await Promise.all([store.kv.increment("n"), store.events.append(`s${worker}`, acknowledged)]);
        acknowledged += 1;
      } catch (error) {
        errors.push(error);
        return;
      }
    }
  };
  const working = Promise.all(Array.from({ length: workers }, (_, worker) => work(worker)));
  return {
    errors,
    end: async () => {
      isOver = true;
      await working;
      return acknowledged;
    },
  };
}

/** What was acknowledged is there, once. */
async function checkLoad(store: Store, acknowledged: number): Promise<void> {
  assert.equal(await store.kv.get("n"), acknowledged);
  const streams = await store.events.streams();
  assert.equal(
    streams.reduce((sum, { version }) => sum + version, 0),
    acknowledged,
  );
}

describe("createStore on Postgres: a server that goes away", () => {
  for (const [what, goAway] of [
    ["restarted", () => server.pause()],
    ["crashed and started again", () => server.crash()],
  ] as const) {
    it(`${what} under load: nothing acknowledged is lost, nothing is done twice, nobody sees an error`, async () => {
      await using store = await createStore("x", fresh());
      const working = load(store, 8);
      await until(async () => ((await store.kv.get<number>("n")) ?? 0) > 50);
      await goAway();
      const waiting = store.kv.get("n");
      await server.resume();
      const atLeast = ((await waiting) as number) + 50;
      await until(async () => ((await store.kv.get<number>("n")) ?? 0) > atLeast || working.errors.length > 0);
      const acknowledged = await working.end();
      assert.deepEqual(working.errors, []);
      await checkLoad(store, acknowledged);
    });
  }

  it("connections killed in the middle of transactions: each write is done exactly once", async () => {
    await using store = await createStore("x", fresh());
    const working = load(store, 8);
    server.sql(`create function kill_busy() returns int language plpgsql as $$
      declare killed int := 0; now_killed int; begin
        for round in 1..150 loop
          perform pg_stat_clear_snapshot();
          select count(pg_terminate_backend(pid)) into now_killed from pg_stat_activity
            where application_name = 'holdfast' and state <> 'idle';
          killed := killed + now_killed;
          perform pg_sleep(0.02);
        end loop;
        return killed;
      end $$`);
    const { stdout } = await run("psql", ["-X", "-A", "-t", server.url(), "-c", "select kill_busy()"]);
    assert.ok(Number(stdout) > 10, `only ${stdout} were killed`);
    const acknowledged = await working.end();
    assert.deepEqual(working.errors, []);
    await checkLoad(store, acknowledged);
  });

  it("a process frozen in the middle of a transaction does not hold the others up for ever", async () => {
    const options = fresh();
    await using store = await createStore("x", options);
    await store.kv.set("a", 1);
    const [timeout] = server.sql(`select setting from pg_settings where name = 'idle_in_transaction_session_timeout'`);
    assert.equal(timeout, "0", "the store sets it for its own sessions, not for the server");
    // Somebody holds the row, as a frozen process does, and is thrown out as the server would throw it out.
    const held = run(
      "psql",
      [
        "-X",
        "-q",
        server.url(),
        "-c",
        `begin; select 1 from ${options.schema}.entries for update; select pg_sleep(60)`,
      ],
      {},
    ).catch(() => {});
    await until(
      () =>
        server.sql("select 1 from pg_stat_activity where query like '%pg_sleep(60)%' and wait_event = 'PgSleep'")
          .length > 0,
    );
    const write = store.kv.set("a", 2);
    await until(
      () =>
        server.sql("select 1 from pg_stat_activity where application_name = 'holdfast' and wait_event_type = 'Lock'")
          .length > 0,
    );
    server.sql("select pg_terminate_backend(pid) from pg_stat_activity where wait_event = 'PgSleep'");
    await write;
    await held;
    assert.equal(await store.kv.get("a"), 2);
  });

  it("blobs go on being read and written over a restart", async () => {
    await using store = await createStore("x", fresh());
    const bytes = randomBytes(3 << 20);
    await store.blobs.put("a", bytes);
    const blob = await store.blobs.get("a");
    const reader = blob.stream().getReader();
    const chunks = [(await reader.read()).value as Uint8Array];
    const put = store.blobs.put(
      "b",
      (async function* () {
        yield bytes.subarray(0, 1 << 20);
        await server.pause();
        const resumed = server.resume();
        yield bytes.subarray(1 << 20);
        await resumed;
      })(),
    );
    await put;
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      chunks.push(value);
    }
    assert.ok(Buffer.concat(chunks).equals(bytes));
    assert.ok(Buffer.from(await (await store.blobs.get("b")).bytes()).equals(bytes));
  });

  it("a prefix watch says that it may have missed something, and a live reader misses nothing", async () => {
    const options = fresh();
    await using store = await createStore("x", options);
    const watch = store.kv.watch({ prefix: "" });
    const next = watch.next();
    const stop = new AbortController();
    const read: unknown[] = [];
    const reading = (async () => {
      for await (const { payload } of store.events.read({ live: true, signal: stop.signal })) read.push(payload);
    })();
    await until(() => server.sql("select 1 from pg_stat_activity where query like 'listen%'").length > 0);
    await server.pause();
    await server.resume();
    assert.equal(await code(next), "WATCH_INTERRUPTED");
    await script(
      `const store = await createStore("x", options); await store.events.append("s", 1); await store.close();`,
      options,
    );
    await until(() => read.length === 1);
    stop.abort();
    await reading;
  });

  it("what can't be had back in time is a ConnectionError that may be tried again", async () => {
    await using store = await createStore("x", fresh());
    await server.pause();
    const errors = await Promise.all(
      [store.kv.get("a"), store.kv.set("a", 1)].map((work) => work.catch((error) => error)),
    );
    await server.resume();
    for (const error of errors as PersistError[]) {
      assert.deepEqual([error.name, error.code, error.retryable], ["ConnectionError", "CONNECTION_FAILED", true]);
    }
    await store.kv.set("a", 2);
    assert.equal(await store.kv.get("a"), 2);
  });
});
