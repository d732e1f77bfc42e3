// kv on SQLite beside better-sqlite3, raw: what a promise and a border cost on top of the fastest binding.
// Both: WAL, synchronous=normal, a table without rowid, the same 10,000 keys and JSON values of about 250 bytes.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { createStore } from "../dist/index.mjs";
import { compare } from "./measure.mjs";

const KEYS = 10_000;
const folder = mkdtempSync(join(tmpdir(), "holdfast-kv-"));
const keys = Array.from({ length: KEYS }, (_, n) => `user/${String(n).padStart(6, "0")}`);
const value = { name: "Ada Lovelace", roles: ["admin", "author"], age: 36, note: "x".repeat(170) };

const store = await createStore("bench", { path: join(folder, "holdfast.db") });
const raw = new Database(join(folder, "raw.db"));
raw.pragma("journal_mode = WAL");
raw.pragma("synchronous = normal");
raw.exec("create table kv (key text primary key, value text) without rowid");
const select = raw.prepare("select value from kv where key = ?");
const upsert = raw.prepare("insert into kv values (?, ?) on conflict (key) do update set value = excluded.value");
const page = raw.prepare("select key, value from kv where key >= ? order by key limit 1000");
const together = raw.transaction((some) => {
  for (const key of some) upsert.run(key, JSON.stringify(value));
});

await store.kv.setMany(keys.map((key) => ({ key, value })));
together(keys);

let at = 0;
const next = () => {
  at = (at + 7919) % KEYS;
  return keys[at];
};
const some = (count) => Array.from({ length: count }, next);

await compare(
  "get, one after the other",
  { operations: 5000, rounds: 15 },
  {
    holdfast: async () => {
      for (let n = 0; n < 5000; n++) await store.kv.get(next());
    },
    "better-sqlite3": () => {
      for (let n = 0; n < 5000; n++) JSON.parse(select.get(next()).value);
    },
  },
);

await compare(
  "getMany of 100, a key",
  { operations: 5000, rounds: 15 },
  {
    holdfast: async () => {
      for (let n = 0; n < 50; n++) await store.kv.getMany(some(100));
    },
    "better-sqlite3": () => {
      for (let n = 0; n < 50; n++) some(100).map((key) => JSON.parse(select.get(key).value));
    },
  },
);

await compare(
  "list of 1,000, an entry",
  { operations: 10_000, rounds: 15 },
  {
    holdfast: async () => {
      for (let n = 0; n < 10; n++) await store.kv.list({ start: keys[n * 900], limit: 1000 });
    },
    "better-sqlite3": () => {
      for (let n = 0; n < 10; n++)
        page.all(keys[n * 900]).map((row) => ({ key: row.key, value: JSON.parse(row.value) }));
    },
  },
);

await compare(
  "set, one after the other",
  { operations: 1000, rounds: 15 },
  {
    holdfast: async () => {
      for (let n = 0; n < 1000; n++) await store.kv.set(next(), value);
    },
    "better-sqlite3": () => {
      for (let n = 0; n < 1000; n++) upsert.run(next(), JSON.stringify(value));
    },
  },
);

await compare(
  "set, 100 at once",
  { operations: 2000, rounds: 15 },
  {
    holdfast: async () => {
      for (let n = 0; n < 20; n++) await Promise.all(some(100).map((key) => store.kv.set(key, value)));
    },
    "better-sqlite3": () => {
      for (let n = 0; n < 2000; n++) upsert.run(next(), JSON.stringify(value));
    },
  },
);

await compare(
  "setMany of 100, a key",
  { operations: 5000, rounds: 15 },
  {
    holdfast: async () => {
      for (let n = 0; n < 50; n++) await store.kv.setMany(some(100).map((key) => ({ key, value })));
    },
    "better-sqlite3": () => {
      for (let n = 0; n < 50; n++) together(some(100));
    },
  },
);

await store.close();
raw.close();

// Every commit synced to the disk: where group commit counts.
const synced = await createStore("synced", { path: join(folder, "synced.db"), synchronous: "full" });
const full = new Database(join(folder, "full.db"));
full.pragma("journal_mode = WAL");
full.pragma("synchronous = full");
full.exec("create table kv (key text primary key, value text) without rowid");
const insert = full.prepare("insert into kv values (?, ?) on conflict (key) do update set value = excluded.value");
await compare(
  "set, 100 at once, each synced to the disk",
  { operations: 300, rounds: 9 },
  {
    holdfast: async () => {
      for (let n = 0; n < 3; n++) await Promise.all(some(100).map((key) => synced.kv.set(key, value)));
    },
    "better-sqlite3": () => {
      for (let n = 0; n < 300; n++) insert.run(next(), JSON.stringify(value));
    },
  },
);
await synced.close();
full.close();
rmSync(folder, { recursive: true, force: true });
