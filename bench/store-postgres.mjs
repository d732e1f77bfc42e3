// createStore on PostgreSQL beside node-postgres, raw: the same table in the same server, over the same pool size.
// The server is the tests' own: of this machine's packages, in a folder of its own, with fsync off for both.
import pg from "pg";
import { tsImport } from "tsx/esm/api";
import { createStore } from "../dist/index.mjs";
import { compare } from "./measure.mjs";
import { workload } from "./store/workload.mjs";

const { PostgresServer } = await tsImport("../__test__/postgres-server.ts", import.meta.url);
const server = await PostgresServer.start();
const connection = server.connection();
const store = await createStore("bench", { adapter: "postgres", connection, pool: { max: 10 } });
const pool = new pg.Pool({ ...connection, max: 10 });

const { keys, value, some, serial, crowd } = workload(10_000);

// Prepared on each connection at its first use, as ours are.
const get = (key) => pool.query({ name: "get", text: "select value from kv where key = $1", values: [key] });
const upsert = "on conflict (key) do update set value = excluded.value";
const set = (key) =>
  pool.query({ name: "set", text: `insert into kv values ($1, $2) ${upsert}`, values: [key, JSON.stringify(value)] });
const setMany = (some) =>
  pool.query({
    name: "setMany",
    text: `insert into kv select * from unnest($1::text[], $2::text[]) ${upsert}`,
    values: [some, some.map(() => JSON.stringify(value))],
  });
const page = (from) =>
  pool.query({
    name: "page",
    text: "select key, value from kv where key >= $1 order by key limit 1000",
    values: [from],
  });

await pool.query(`create table kv (key text collate "C" primary key, value text not null)`);
await setMany(keys);
await store.kv.setMany(keys.map((key) => ({ key, value })));
await store.records.putMany(keys.map((key) => ({ key, value })));

const parsed = async (key) => JSON.parse((await get(key)).rows[0].value);
for (const [title, ours, theirs] of [
  ["kv get", (key) => store.kv.get(key), parsed],
  ["kv set", (key) => store.kv.set(key, value), set],
]) {
  for (const [how, shape, operations] of [
    ["one after the other", serial, 300],
    ["100 at once", crowd, 1000],
  ]) {
    const contenders = { holdfast: shape(operations, ours), "node-postgres": shape(operations, theirs) };
    await compare(`${title}, ${how}`, { operations, rounds: 7 }, contenders);
  }
}
await compare(
  "kv setMany of 100, a key",
  { operations: 1000, rounds: 7 },
  {
    holdfast: async () => {
      for (let n = 0; n < 10; n++) await store.kv.setMany([...new Set(some(100))].map((key) => ({ key, value })));
    },
    "node-postgres": async () => {
      for (let n = 0; n < 10; n++) await setMany([...new Set(some(100))]);
    },
  },
);
await compare(
  "records list of 1,000, an entry",
  { operations: 5000, rounds: 7 },
  {
    holdfast: async () => {
      for (let n = 0; n < 5; n++) await store.records.list({ start: keys[n * 900], limit: 1000 });
    },
    "node-postgres": async () => {
      for (let n = 0; n < 5; n++) {
        const { rows } = await page(keys[n * 900]);
        rows.map((row) => ({ key: row.key, value: JSON.parse(row.value) }));
      }
    },
  },
);

await store.close();
await pool.end();
await server.stop();
