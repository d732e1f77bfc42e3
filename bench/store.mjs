// createStore on SQLite beside better-sqlite3 raw (the limit: no promise, no border that queues), Keyv on SQLite,
// unstorage on files and classic-level. The same 5,000 keys and JSON values of about 250 bytes for all; SQLite with
// WAL and synchronous=normal everywhere, and once with full.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import KeyvSqlite from "@keyv/sqlite";
import Database from "better-sqlite3";
import { ClassicLevel } from "classic-level";
import Keyv from "keyv";
import { createStorage } from "unstorage";
import fsDriver from "unstorage/drivers/fs";
import { createStore } from "../dist/index.mjs";
import { compare } from "./measure.mjs";
import { workload } from "./store/workload.mjs";

const KEYS = 5000;
const folder = mkdtempSync(join(tmpdir(), "holdfast-store-"));
const { keys, value, next, some, serial, crowd } = workload(KEYS);

/** A raw table, and what is done with it. */
function openRaw(name, synchronous) {
  const database = new Database(join(folder, name));
  database.pragma("journal_mode = WAL");
  database.pragma(`synchronous = ${synchronous}`);
  database.exec("create table kv (key text primary key, value text) without rowid");
  database.exec("create table blobs (key text primary key, bytes blob)");
  const upsert = database.prepare(
    "insert into kv values (?, ?) on conflict (key) do update set value = excluded.value",
  );
  return {
    database,
    get: database.prepare("select value from kv where key = ?"),
    set: (key) => upsert.run(key, JSON.stringify(value)),
    setMany: database.transaction((some) => {
      for (const key of some) upsert.run(key, JSON.stringify(value));
    }),
    page: database.prepare("select key, value from kv where key >= ? order by key limit 1000"),
    putBlob: database.prepare("insert into blobs values (?, ?) on conflict (key) do update set bytes = excluded.bytes"),
    getBlob: database.prepare("select bytes from blobs where key = ?"),
  };
}

const store = await createStore("bench", { path: join(folder, "holdfast.db") });
const raw = openRaw("raw.db", "normal");
const keyv = new Keyv({ store: new KeyvSqlite({ uri: `sqlite://${join(folder, "keyv.db")}`, wal: true }) });
const files = createStorage({ driver: fsDriver({ base: join(folder, "files") }) });
const level = new ClassicLevel(join(folder, "level"), { valueEncoding: "json" });

await store.kv.setMany(keys.map((key) => ({ key, value })));
await store.records.putMany(keys.map((key) => ({ key, value })));
raw.setMany(keys);
await level.batch(keys.map((key) => ({ type: "put", key, value })));
for (let n = 0; n < KEYS; n += 100) {
  const some = keys.slice(n, n + 100);
  await Promise.all(some.map((key) => Promise.all([keyv.set(key, value), files.setItem(key, value)])));
}

/** `count` calls that answer at once. */
const direct = (count, call) => () => {
  for (let n = 0; n < count; n++) call(next());
};

const rawGet = (key) => JSON.parse(raw.get.get(key).value);
const gets = {
  holdfast: (key) => store.kv.get(key),
  "keyv sqlite": (key) => keyv.get(key),
  "unstorage fs": (key) => files.getItem(key),
  "classic-level": (key) => level.get(key),
};
const sets = {
  holdfast: (key) => store.kv.set(key, value),
  "keyv sqlite": (key) => keyv.set(key, value),
  "unstorage fs": (key) => files.setItem(key, value),
  "classic-level": (key) => level.put(key, value),
};
const each = (calls, shape) => Object.fromEntries(Object.entries(calls).map(([name, call]) => [name, shape(call)]));

for (const [title, calls, rawCall] of [
  ["kv get", gets, rawGet],
  ["kv set", sets, raw.set],
]) {
  for (const [how, shape] of [
    ["one after the other", serial],
    ["100 at once", crowd],
  ]) {
    const options = { operations: 1000, rounds: 9 };
    const contenders = each(calls, (call) => shape(1000, call));
    await compare(`${title}, ${how}`, options, { ...contenders, "better-sqlite3": direct(1000, rawCall) });
  }
}

await compare(
  "kv getMany of 100, a key",
  { operations: 2000, rounds: 9 },
  {
    holdfast: async () => {
      for (let n = 0; n < 20; n++) await store.kv.getMany(some(100));
    },
    "keyv sqlite": async () => {
      for (let n = 0; n < 20; n++) await keyv.getMany(some(100));
    },
    "classic-level": async () => {
      for (let n = 0; n < 20; n++) await level.getMany(some(100));
    },
    "better-sqlite3": () => {
      for (let n = 0; n < 20; n++) some(100).map(rawGet);
    },
  },
);

await compare(
  "kv setMany of 100, a key",
  { operations: 2000, rounds: 9 },
  {
    holdfast: async () => {
      for (let n = 0; n < 20; n++) await store.kv.setMany(some(100).map((key) => ({ key, value })));
    },
    "classic-level": async () => {
      for (let n = 0; n < 20; n++) await level.batch(some(100).map((key) => ({ type: "put", key, value })));
    },
    "better-sqlite3": () => {
      for (let n = 0; n < 20; n++) raw.setMany(some(100));
    },
  },
);

await compare(
  "records list of 1,000, an entry",
  { operations: 5000, rounds: 9 },
  {
    holdfast: async () => {
      for (let n = 0; n < 5; n++) await store.records.list({ start: keys[n * 900], limit: 1000 });
    },
    "classic-level": async () => {
      for (let n = 0; n < 5; n++) await level.iterator({ gte: keys[n * 900], limit: 1000 }).all();
    },
    "better-sqlite3": () => {
      for (let n = 0; n < 5; n++)
        raw.page.all(keys[n * 900]).map((row) => ({ key: row.key, value: JSON.parse(row.value) }));
    },
  },
);

const MIB = 1 << 20;
const bytes = Buffer.alloc(MIB, 7);
const ten = keys.slice(0, 10);
const onBlobs = (call) => async () => {
  for (const key of ten) await call(key);
};
await compare(
  "blobs of 1 MiB, put",
  { operations: 10, rounds: 7, bytes: 10 * MIB },
  {
    holdfast: onBlobs((key) => store.blobs.put(key, bytes)),
    "unstorage fs": onBlobs((key) => files.setItemRaw(`blob/${key}`, bytes)),
    "classic-level": onBlobs((key) => level.put(`blob/${key}`, bytes, { valueEncoding: "buffer" })),
    "better-sqlite3": onBlobs((key) => raw.putBlob.run(key, bytes)),
  },
);
await compare(
  "blobs of 1 MiB, get",
  { operations: 10, rounds: 7, bytes: 10 * MIB },
  {
    holdfast: onBlobs(async (key) => (await store.blobs.get(key)).bytes()),
    "unstorage fs": onBlobs((key) => files.getItemRaw(`blob/${key}`)),
    "classic-level": onBlobs((key) => level.get(`blob/${key}`, { valueEncoding: "buffer" })),
    "better-sqlite3": onBlobs((key) => raw.getBlob.get(key).bytes),
  },
);

await store.close();
await keyv.disconnect();
await files.dispose();
await level.close();
raw.database.close();

// Every commit synced to the disk: where group commit counts. The raw one commits each set by itself, as 100 callers
// that know nothing of each other do.
const synced = await createStore("synced", { path: join(folder, "synced.db"), synchronous: "full" });
const full = openRaw("full.db", "full");
await compare(
  "kv set, 100 at once, each synced to the disk",
  { operations: 300, rounds: 7 },
  { holdfast: crowd(300, (key) => synced.kv.set(key, value)), "better-sqlite3": direct(300, full.set) },
);
await synced.close();
full.database.close();
rmSync(folder, { recursive: true, force: true });
