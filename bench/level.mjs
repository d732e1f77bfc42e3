// S3Level in both layouts beside s3leveldown, the official binding of SlateDB, and classic-level on the local disk as
// the limit. The server runs in a process of its own; it answers at once, and then as late as S3 does: 15 ms for a
// get, 30 ms for a put, a list and a delete. BENCH_KEYS (default 10,000) entries of 100 bytes are scanned.
import { classicLevel, holdfast, s3leveldown, slatedb } from "./level/databases.mjs";
import { startServer } from "./level/server.mjs";
import { compare } from "./measure.mjs";

const KEYS = Number(process.env.BENCH_KEYS ?? 10_000);
const FEW = Math.min(KEYS, 300);
const VALUE = "v".repeat(100);
const LATE = [
  ["at once", { get: 0, put: 0 }],
  ["after 15 ms for a get and 30 ms for the rest", { get: 15, put: 30 }],
];

const keyOf = (n) => `k${String(n).padStart(8, "0")}`;
const puts = (from, count) =>
  Array.from({ length: count }, (_, n) => ({ type: "put", key: keyOf(from + n), value: VALUE }));

function expectEqual(found, expected) {
  if (found !== expected) throw new Error(`${found} entries where ${expected} were expected`);
}

/** Contenders for `compare`: the same work on each database. */
const each = (databases, work, prepare) =>
  Object.fromEntries(
    databases.map((db) => [db.name, { run: () => work(db), ...(prepare && { prepare: () => prepare(db) }) }]),
  );

async function scans(databases, count, what) {
  const range = { gte: keyOf(0), lt: keyOf(count) };
  for (const reverse of [false, true]) {
    const scan = async (db) => expectEqual(await db.scan({ ...range, reverse }), count);
    const way = reverse ? "backwards" : "forwards";
    const few = { operations: count, rounds: 3, warmups: 0 };
    await compare(
      `scan of ${count} entries ${way}, cold, ${what}`,
      few,
      each(databases, scan, (db) => db.reopen()),
    );
    await compare(`scan of ${count} entries ${way}, warm, ${what}`, { ...few, warmups: 1 }, each(databases, scan));
  }
  for (const db of databases.filter(({ requests }) => requests !== undefined)) {
    await db.reopen();
    const before = db.requests();
    await db.scan(range);
    console.log(`  ${db.name}: ${db.requests() - before} requests for the scan, cold`);
  }
}

const server = await startServer();
const [lsm, objects] = [await holdfast(server, "lsm"), await holdfast(server, "objects")];
const [theirs, binding, local] = [s3leveldown(server), await slatedb(server), await classicLevel()];
const all = [lsm, objects, binding, theirs, local];
try {
  for (const db of all) {
    const count = db === theirs ? FEW : KEYS;
    for (let from = 0; from < count; from += 1000) await db.batch(puts(from, Math.min(1000, count - from)));
  }
  for (const [what, delays] of LATE) {
    await server.late(delays);
    const few = { rounds: 5, warmups: 1 };
    await compare(
      `put, S3 answers ${what}`,
      few,
      each(all, (db) => db.put("one", VALUE)),
    );
    await compare(
      `get, S3 answers ${what}`,
      few,
      each(all, (db) => db.get(keyOf(7))),
    );
    const keys = Array.from({ length: 100 }, (_, n) => keyOf((n * FEW) / 100));
    const many = { ...few, operations: 100 };
    const getMany = async (db) => expectEqual(await db.getMany(keys), 100);
    await compare(`getMany of 100, S3 answers ${what}`, many, each(all, getMany));
    await compare(
      `batch of 200, S3 answers ${what}`,
      { ...few, rounds: 3, operations: 200 },
      each(all, (db) => db.batch(puts(KEYS, 200))),
    );
    await scans([lsm, objects, binding, theirs, local], FEW, what);
    await scans([lsm, objects, binding, local], KEYS, what);
  }
} finally {
  await server.late({ get: 0, put: 0 });
  for (const db of all) await db.end();
  await server.stop();
}
