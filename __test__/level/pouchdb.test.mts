// PouchDB 9 on S3LevelDown beside PouchDB in memory: the same operations, chosen at random, have the same outcomes.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { describe, it } from "node:test";
import S3LevelDown from "holdfast/leveldown";
import { dice } from "./dice.mts";
import { levelServer } from "./server.mts";

/** PouchDB as far as it is used here; its packages ship no types. */
interface Pouch {
  get(id: string, options?: object): Promise<{ _rev: string }>;
  put(doc: object): Promise<object>;
  remove(id: string, rev: string): Promise<object>;
  bulkDocs(docs: object[]): Promise<object[]>;
  allDocs(options?: object): Promise<{ rows: object[] }>;
  changes(options: object): Promise<{ results: object[]; last_seq: number }>;
  putAttachment(id: string, name: string, rev: string | undefined, data: Buffer, type: string): Promise<object>;
  getAttachment(id: string, name: string): Promise<Buffer>;
  query(
    map: (doc: { n?: number }, emit: (key: unknown, value?: unknown) => void) => void,
    options: object,
  ): Promise<object>;
  compact(): Promise<object>;
  info(): Promise<{ doc_count: number; update_seq: number }>;
  destroy(): Promise<object>;
  close(): Promise<void>;
}
interface PouchClass {
  new (name: string, options: object): Pouch;
  plugin(plugin: unknown): PouchClass;
  adapter(name: string, adapter: unknown, usable: boolean): void;
  replicate(source: Pouch, target: Pouch, options?: object): Promise<{ ok: boolean }>;
}

const require = createRequire(import.meta.url);
const PouchDB = (require("pouchdb-core") as PouchClass)
  .plugin(require("pouchdb-adapter-memory"))
  .plugin(require("pouchdb-replication"))
  .plugin(require("pouchdb-mapreduce"));
const CoreLevelPouch = require("pouchdb-adapter-leveldb-core") as (this: unknown, ...args: unknown[]) => void;
const { s3, location } = await levelServer();

type Layout = "objects" | "lsm";

// As the documentation of s3leveldown registers its adapter, with Object.assign, which PouchDB 9 no longer brings.
function s3LevelPouch(layout: Layout): object {
  function S3LevelPouch(this: unknown, options: object, callback: unknown): void {
    const db = Object.assign((place: string) => new S3LevelDown(place, s3, { layout }), {
      destroy: (place: string, done: (error?: Error | null) => void) => S3LevelDown.destroy(place, s3, done),
    });
    CoreLevelPouch.call(this, Object.assign({ db }, options), callback);
  }
  S3LevelPouch.valid = () => true;
  S3LevelPouch.use_prefix = false;
  return S3LevelPouch;
}
for (const layout of ["objects", "lsm"] as const) PouchDB.adapter(`s3-${layout}`, s3LevelPouch(layout), true);

const onS3 = (layout: Layout, place = location()) => new PouchDB(place, { adapter: `s3-${layout}` });
const inMemory = () => new PouchDB(location(), { adapter: "memory" });

/** What a promise becomes, as data; of errors, what PouchDB promises. */
async function outcome(promise: Promise<unknown>): Promise<unknown> {
  try {
    const value = await promise;
    return Buffer.isBuffer(value) ? value.toString("base64") : JSON.parse(JSON.stringify(value ?? null));
  } catch (error) {
    const { status, name } = error as { status: number; name: string };
    return { status, name };
  }
}

type Step = (db: Pouch) => Promise<unknown>;

/** A step, chosen before it is run, so that both databases run the same. */
function step(roll: (below: number) => number): [name: string, step: Step] {
  const id = ["a", "b", "é", "z/1", "日本"][roll(5)] as string;
  const n = roll(1000);
  const revOf = (db: Pouch) =>
    db.get(id).then(
      ({ _rev }) => _rev,
      () => undefined,
    );
  const steps: [string, Step][] = [
    ["put", async (db) => db.put({ _id: id, _rev: await revOf(db), n })],
    ["put without a revision", (db) => db.put({ _id: id, n })],
    ["remove", async (db) => db.remove(id, (await revOf(db)) ?? "1-0")],
    ["get", (db) => db.get(id, { revs: true, conflicts: true })],
    ["bulkDocs", (db) => db.bulkDocs(Array.from({ length: 5 }, (_, k) => ({ _id: `${id}-${(n + k) % 20}`, n })))],
    ["allDocs", (db) => db.allDocs({ include_docs: true, startkey: id, descending: n % 2 === 0, limit: 1 + (n % 9) })],
    ["changes", (db) => db.changes({ since: n % 7, include_docs: true, conflicts: true })],
    [
      "putAttachment",
      async (db) => db.putAttachment(id, "file", await revOf(db), Buffer.from([n % 256, 0xff, 0]), "application/x"),
    ],
    ["getAttachment", (db) => db.getAttachment(id, "file")],
    ["query", (db) => db.query((doc, emit) => emit(doc.n), { startkey: n % 100, descending: false })],
    ["compact", (db) => db.compact()],
  ];
  return steps[roll(steps.length)] as [string, Step];
}

describe("PouchDB on S3LevelDown", () => {
  for (const [layout, seed] of [
    ["objects", 1],
    ["objects", 2],
    ["lsm", 3],
    ["lsm", 4],
  ] as const) {
    it(`does what PouchDB does in memory, on layout ${layout} with seed ${seed}`, async () => {
      const [ours, theirs] = [onS3(layout), inMemory()];
      const roll = dice(seed);
      for (let n = 0; n < 60; n++) {
        const [name, run] = step(roll);
        const [found, expected] = [await outcome(run(ours)), await outcome(run(theirs))];
        assert.deepEqual(found, expected, `step ${n}, ${name}`);
      }
      const all = { include_docs: true, attachments: true, conflicts: true };
      assert.deepEqual(await outcome(ours.allDocs(all)), await outcome(theirs.allDocs(all)));
      const [{ doc_count, update_seq }, expected] = [await ours.info(), await theirs.info()];
      assert.deepEqual([doc_count, update_seq], [expected.doc_count, expected.update_seq]);
      await Promise.all([ours.close(), theirs.close()]);
    });
  }

  it("is replicated to memory and back", async () => {
    const [source, between, target] = [onS3("objects"), inMemory(), onS3("lsm")];
    await source.bulkDocs(Array.from({ length: 30 }, (_, n) => ({ _id: `doc${n}`, n })));
    await source.putAttachment("doc0", "file", (await source.get("doc0"))._rev, Buffer.from([1, 2, 0xff]), "a/b");
    await source.remove("doc1", (await source.get("doc1"))._rev);
    assert.equal((await PouchDB.replicate(source, between)).ok, true);
    assert.equal((await PouchDB.replicate(between, target)).ok, true);
    const all = { include_docs: true, attachments: true };
    assert.deepEqual(await outcome(target.allDocs(all)), await outcome(source.allDocs(all)));
    await Promise.all([source.close(), between.close(), target.close()]);
  });

  for (const layout of ["objects", "lsm"] as const) {
    it(`leaves nothing behind when it is destroyed, on layout ${layout}`, async () => {
      const place = location();
      const db = onS3(layout, place);
      await db.put({ _id: "a" });
      await db.destroy();
      const again = onS3(layout, place);
      assert.equal((await again.info()).doc_count, 0);
      await again.close();
    });
  }
});
