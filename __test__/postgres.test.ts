import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { createStore, type Store, type StoreOptions } from "holdfast";
import { PostgresServer } from "./postgres-server.js";
import { code, Hearing, script, until } from "./store-scripts.js";

let server: PostgresServer;
let schemas = 0;
/** Stores, watches and readers keep no process alive, that of the tests neither. */
const alive = setInterval(() => {}, 1000);

before(async () => {
  server = await PostgresServer.start({ tls: true });
});
after(async () => {
  clearInterval(alive);
  await server.stop();
});

/** Options of a store in a schema that nobody has used. */
function fresh(more: StoreOptions = {}): StoreOptions & { schema: string } {
  schemas += 1;
  const schema = `test_${schemas}`;
  return { adapter: "postgres", connection: server.connection(), schema, ...(more as object) };
}

/** How many connections of stores the server has. */
function connections(): number {
  const text = "select count(*) from pg_stat_activity where application_name = 'holdfast'";
  return Number(server.sql(text)[0]);
}

describe("createStore on Postgres: settings", () => {
  it("takes the settings as the documents print them, nested, flat, or as a URL", async () => {
    server.sql("create database persist");
    const connection = { ...server.connection("persist"), password: process.env.PG_PASSWORD ?? server.password };
    const forms: (() => Promise<Store>)[] = [
      () => createStore({ name: "my-app", adapter: "postgres", connection }),
      () => createStore({ name: "my-app", adapter: "postgres", connection, pool: { max: 20 } }),
      () => createStore("my-app", { postgres: { connection, pool: { max: 2 } }, adapter: "postgres" }),
      () => createStore("my-app", { adapter: "postgres", connectionString: server.url("persist") }),
    ];
    for (const open of forms) {
      await using store = await open();
      await store.kv.increment("opened");
    }
    assert.deepEqual(server.sql("select value from persist.entries where key = 'opened'", "persist"), ["4"]);
  });

  const wrong: [string, () => StoreOptions, string][] = [
    [
      "a password that the environment does not have",
      () => fresh({ connection: { password: undefined } }),
      "CREDENTIALS_MISSING",
    ],
    [
      "a connectionString that the environment does not have",
      () => ({ adapter: "postgres", connectionString: undefined }),
      "CREDENTIALS_MISSING",
    ],
    ["an unknown setting of the connection", () => fresh({ connection: { hots: "x" } as object }), "UNKNOWN_OPTION"],
    ["a port that can't be", () => fresh({ connection: { port: 70_000 } }), "INVALID_SETTINGS"],
    ["a pool without connections", () => fresh({ pool: { max: 0 } }), "INVALID_SETTINGS"],
    ["a schema whose name is too long", () => fresh({ schema: "x".repeat(64) }), "INVALID_SETTINGS"],
    ["an authority that is none", () => fresh({ connection: { ssl: { ca: "x" } } }), "INVALID_SETTINGS"],
    ["what the URL says otherwise", () => fresh({ connectionString: server.url("other") }), "SETTING_CONFLICT"],
    ["a wrong password", () => fresh({ connection: { ...server.connection(), password: "no" } }), "ACCESS_DENIED"],
    ["a database that is not there", () => fresh({ connection: server.connection("nowhere") }), "NO_SUCH_DATABASE"],
    [
      "a port that nobody listens on",
      () => fresh({ connection: { ...server.connection(), port: 1 } }),
      "CONNECTION_FAILED",
    ],
  ];
  for (const [what, options, expected] of wrong) {
    it(`refuses ${what}, and shows no password`, async () => {
      assert.equal(await code(createStore("x", options()), server.password), expected);
    });
  }

  it("TLS: believes the given authority, and no other unless told to", async () => {
    const of = (ssl: unknown) => fresh({ connection: { ...server.connection(), ssl } as object });
    const encrypted = () =>
      server.sql(
        "select distinct ssl from pg_stat_ssl join pg_stat_activity using (pid) where application_name = 'holdfast'",
      );
    for (const ssl of [
      { ca: server.authority },
      { ca: [Buffer.from(server.authority)] },
      { rejectUnauthorized: false },
      undefined,
    ]) {
      await using store = await createStore("x", of(ssl));
      await store.kv.set("a", 1);
      assert.deepEqual(encrypted(), ["t"]);
    }
    await using plain = await createStore("x", of(false));
    await plain.kv.set("a", 1);
    assert.deepEqual(encrypted(), ["f"]);
    assert.equal(await code(createStore("x", of(true))), "TLS_FAILED");
    assert.equal(
      await code(createStore("x", { adapter: "postgres", connectionString: `${server.url()}?sslmode=verify-full` })),
      "TLS_FAILED",
    );
  });

  it("holds at most pool.max connections, 10 unless said otherwise, and none after the close", async () => {
    await until(() => connections() === 0);
    for (const [pool, most] of [
      [undefined, 10],
      [{ max: 4 }, 4],
    ] as const) {
      const store = await createStore("x", fresh(pool === undefined ? {} : { pool }));
      const work = Array.from({ length: 300 }, (_, n) =>
        Promise.all([store.kv.set(`k${n}`, n), store.kv.get(`k${n}`)]),
      );
      await Promise.all(work);
      assert.equal(connections(), most);
      await store.close();
      await until(() => connections() === 0);
    }
  });

  it("two stores of one database in two schemas see nothing of each other", async () => {
    await using one = await createStore("x", fresh());
    await using two = await createStore("x", fresh());
    await one.kv.set("a", 1);
    assert.equal(await two.kv.get("a"), undefined);
  });
});

describe("createStore on Postgres: several processes", () => {
  it("make the schema at once, and both work", async () => {
    const options = fresh();
    const open = "const store = await createStore('x', options); await store.kv.increment('n'); await store.close();";
    await Promise.all(Array.from({ length: 4 }, () => script(open, options)));
    await using store = await createStore("x", options);
    assert.equal(await store.kv.get("n"), 4);
  });

  it("hear of each other's changes and events: prefix watches, live readers, subscriptions", async () => {
    const options = fresh();
    await using store = await createStore("x", options);
    await store.kv.setMany({ "a/1": 0, "b/1": 0 });
    const hearing = await Hearing.on(store, "a/");
    const { changes, read, handled } = hearing;
    await until(() => server.sql("select 1 from pg_stat_activity where query like 'listen%'").length > 0);
    await script(
      `const store = await createStore("x", options);
       await store.kv.setMany({ "a/1": 1, "b/1": 1, "a/2": { at: new Date(5) } });
       await store.events.append("s", "hello");
       await store.close();`,
      options,
    );
    await until(() => changes.length >= 2 && read.length >= 1 && handled.length >= 1);
    await script(
      `const store = await createStore("x", options); await store.kv.delete("a/1"); await store.close();`,
      options,
    );
    await until(() => changes.length >= 3);
    await store.kv.set("a/1", 7);
    await until(() => changes.length >= 4);
    await hearing.stop();
    assert.deepEqual(changes, [
      { type: "put", key: "a/1", value: 1, version: 2 },
      { type: "put", key: "a/2", value: { at: new Date(5) }, version: 1 },
      { type: "delete", key: "a/1" },
      { type: "put", key: "a/1", value: 7, version: 3 },
    ]);
    assert.deepEqual([read, handled], [["hello"], ["hello"]]);
  });

  it("append at once while a reader follows: no event is skipped, and positions only grow", async () => {
    const options = fresh();
    await using store = await createStore("x", options);
    const total = 4 * 150;
    const seen: { position: string; stream: string; version: number; payload: unknown }[] = [];
    const reading = (async () => {
      for await (const event of store.events.read({ live: true })) {
        seen.push(event);
        if (seen.length === total) break;
      }
    })();
    const append = (who: number) =>
      script(
        `const store = await createStore("x", options);
         for (let n = 0; n < 30; n++) await Promise.all(Array.from({ length: 5 }, (_, m) =>
           store.events.append(m % 2 ? "shared" : "own-${who}", [${who}, n, m])));
         await store.close();`,
        options,
      );
    await Promise.all([0, 1, 2, 3].map(append));
    await reading;
    const positions = seen.map(({ position }) => position);
    assert.deepEqual(positions, [...new Set(positions)].sort());
    assert.equal(new Set(seen.map(({ payload }) => JSON.stringify(payload))).size, total);
    for (const name of new Set(seen.map(({ stream }) => stream))) {
      const versions = seen.filter(({ stream }) => stream === name).map(({ version }) => version);
      assert.deepEqual(
        versions,
        versions.map((_, n) => n + 1),
      );
    }
  });

  it("an open store with a watch, a subscription and a listener lets its process end", async () => {
    const output = await script(
      `const store = await createStore("x", options);
       store.on("*", () => {});
       store.kv.watch({ prefix: "" }).next();
       await store.events.subscribe({ name: "a" }, () => {});
       console.log("done");`,
      fresh(),
    );
    assert.equal(output, "done\n");
  });
});
