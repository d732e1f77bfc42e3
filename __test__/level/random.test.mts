// Random calls on S3Level, each beside a sorted list in memory: both layouts answer what it answers, through sublevels,
// openings and snapshots. HOLDFAST_SEED chooses other calls, HOLDFAST_LONG=1 makes many more.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { AbstractLevel } from "abstract-level";
import { S3Level, type S3LevelOptions } from "holdfast/level";
import { dice } from "./dice.mts";
import { levelServer } from "./server.mts";

const { s3, location } = await levelServer();
const STEPS = process.env.HOLDFAST_LONG === "1" ? 5000 : 150;
const SEED = Number(process.env.HOLDFAST_SEED ?? 1);

type Entry = [key: Buffer, value: Buffer];
type Bounds = { [Bound in "gt" | "gte" | "lt" | "lte"]?: Buffer | undefined };
type Range = Bounds & { reverse?: boolean; limit?: number };
type Snapshot = ReturnType<S3Level<Buffer, Buffer>["snapshot"]>;

/** What a database holds, in order. */
class Model {
  constructor(readonly entries: readonly Entry[] = []) {}

  get(key: Buffer): Buffer | undefined {
    return this.entries.find(([found]) => found.equals(key))?.[1];
  }

  with(key: Buffer, value?: Buffer): Model {
    const others = this.entries.filter(([found]) => !found.equals(key));
    const all: Entry[] = value === undefined ? others : [...others, [key, value]];
    return new Model(all.sort(([a], [b]) => a.compare(b)));
  }

  range({ gt, gte, lt, lte, reverse = false, limit = -1 }: Range): Entry[] {
    const within = this.entries.filter(
      ([key]) =>
        (gt === undefined || key.compare(gt) > 0) &&
        (gte === undefined || key.compare(gte) >= 0) &&
        (lt === undefined || key.compare(lt) < 0) &&
        (lte === undefined || key.compare(lte) <= 0),
    );
    const ordered = reverse ? within.reverse() : within;
    return limit < 0 ? ordered : ordered.slice(0, limit);
  }

  without(doomed: readonly Entry[]): Model {
    return doomed.reduce<Model>((model, [key]) => model.with(key), this);
  }
}

/** One database and its model, and calls drawn for both. */
class Pair {
  model = new Model();
  readonly #roll: (below: number) => number;
  #db: S3Level<Buffer, Buffer>;

  constructor(
    readonly place: string,
    readonly options: S3LevelOptions<Buffer, Buffer>,
    seed: number,
  ) {
    this.#roll = dice(seed);
    this.#db = new S3Level(place, options);
  }

  get db() {
    return this.#db;
  }

  /** Short keys over few bytes, so that they meet; some are empty, some are no text. */
  key(): Buffer {
    return Buffer.from(
      Array.from({ length: this.#roll(4) }, () => [0, 0x61, 0x62, 0x7f, 0xc3, 0xff][this.#roll(6)] ?? 0),
    );
  }

  value(): Buffer {
    return Buffer.alloc(this.#roll(20), this.#roll(256));
  }

  range(): Range {
    const [low, high] = [["gt", "gte"][this.#roll(3)], ["lt", "lte"][this.#roll(3)]];
    return {
      ...(low === undefined ? {} : { [low]: this.key() }),
      ...(high === undefined ? {} : { [high]: this.key() }),
      reverse: this.#roll(2) === 0,
      limit: this.#roll(3) === 0 ? this.#roll(6) : -1,
    };
  }

  async step(): Promise<string> {
    const calls: [string, () => Promise<void>][] = [
      ["put", () => this.put()],
      ["put", () => this.put()],
      ["del", () => this.del()],
      ["batch", () => this.batch()],
      ["batch", () => this.batch()],
      ["getMany", () => this.getMany()],
      ["iterator", () => this.iterate()],
      ["seek", () => this.seek()],
      ["clear", () => this.clear()],
      ["open", () => (this.#roll(10) === 0 ? this.reopen() : this.iterate())],
    ];
    const [name, call] = calls[this.#roll(calls.length)] as [string, () => Promise<void>];
    await call();
    return name;
  }

  async put(): Promise<void> {
    const [key, value] = [this.key(), this.value()];
    await this.#db.put(key, value);
    this.model = this.model.with(key, value);
  }

  async del(): Promise<void> {
    const key = this.key();
    await this.#db.del(key);
    this.model = this.model.with(key);
  }

  async batch(): Promise<void> {
    const writes = Array.from({ length: 1 + this.#roll(12) }, () => {
      const key = this.key();
      return this.#roll(3) === 0 ? { type: "del" as const, key } : { type: "put" as const, key, value: this.value() };
    });
    await this.#db.batch(writes);
    for (const write of writes) this.model = this.model.with(write.key, write.type === "put" ? write.value : undefined);
  }

  async getMany(): Promise<void> {
    const keys = Array.from({ length: this.#roll(6) }, () => this.key());
    const expected = keys.map((key) => this.model.get(key));
    assert.deepEqual(await this.#db.getMany(keys), expected);
    const has = expected.map((value) => value !== undefined);
    assert.deepEqual(await this.#db.hasMany(keys), has);
    for (const key of keys.slice(0, 1)) assert.deepEqual(await this.#db.get(key), this.model.get(key));
  }

  async iterate(): Promise<void> {
    const range = this.range();
    assert.deepEqual(await this.#db.iterator(range).all(), this.model.range(range), JSON.stringify(range));
    const keys = this.model.range(range).map(([key]) => key);
    assert.deepEqual(await this.#db.keys(range).all(), keys, JSON.stringify(range));
  }

  async seek(): Promise<void> {
    const { limit: _, ...range } = this.range();
    const target = this.key();
    const iterator = this.#db.iterator(range);
    await iterator.nextv(1 + this.#roll(3));
    iterator.seek(target);
    const inside = this.#isInside(target, range);
    const from = range.reverse ? { ...range, lte: target, lt: undefined } : { ...range, gte: target, gt: undefined };
    const expected = inside ? this.model.range(from) : [];
    assert.deepEqual(await iterator.all(), expected, `${JSON.stringify(range)} from ${target.toString("hex")}`);
  }

  #isInside(key: Buffer, range: Range): boolean {
    return new Model([[key, key]]).range(range).length === 1;
  }

  async clear(): Promise<void> {
    const range = { ...this.range(), limit: this.#roll(4) };
    await this.#db.clear(range);
    this.model = this.model.without(this.model.range(range));
  }

  async reopen(): Promise<void> {
    await this.#db.close();
    this.#db = new S3Level(this.place, this.options);
    await this.#db.open();
  }
}

const encodings = { keyEncoding: "buffer", valueEncoding: "buffer" } as const;

for (const layout of ["objects", "lsm"] as const) {
  describe(`random calls on layout ${layout}`, () => {
    it(`are answered as by a sorted list, with seed ${SEED}`, async () => {
      const keyFormat = layout === "objects" ? { keyFormat: "hex" as const } : {};
      const pair = new Pair(location(), { s3, layout, ...keyFormat, ...encodings }, SEED);
      const done: string[] = [];
      try {
        for (let n = 0; n < STEPS; n++) done.push(await pair.step());
      } catch (error) {
        throw new Error(`step ${done.length} after ${done.slice(-5).join(", ")}`, { cause: error });
      }
      assert.deepEqual(await pair.db.iterator().all(), pair.model.entries);
      await pair.db.close();
    });
  });
}

describe("snapshots during random calls", () => {
  it(`stay what they were, with seed ${SEED}`, async () => {
    const pair = new Pair(location(), { s3, layout: "lsm", ...encodings }, SEED + 1);
    await pair.db.open();
    const taken: [Snapshot, Model][] = [];
    for (let n = 0; n < STEPS / 5; n++) {
      await pair.batch();
      if (n % 5 === 0) taken.push([pair.db.snapshot(), pair.model]);
    }
    for (const [snapshot, model] of taken) {
      const range = pair.range();
      assert.deepEqual(await pair.db.iterator({ ...range, snapshot }).all(), model.range(range));
      await snapshot.close();
    }
    await pair.db.close();
  });
});

describe("strings, buffers and views", () => {
  for (const layout of ["objects", "lsm"] as const) {
    it(`are read as each other, at the root and in sublevels of sublevels, on layout ${layout}`, async () => {
      const root = new S3Level(location(), { s3, layout });
      const databases: AbstractLevel<Buffer, string, string>[] = [
        root,
        root.sublevel("a"),
        root.sublevel("a").sublevel("b"),
      ];
      for (const db of databases) {
        const view = { keyEncoding: "view", valueEncoding: "view" } as const;
        const bytes = new TextEncoder().encode("é");
        await db.put<Uint8Array, Uint8Array>(bytes, bytes, view);
        assert.deepEqual(await db.get<string, string>("é", { keyEncoding: "utf8", valueEncoding: "utf8" }), "é");
        const buffers = { keyEncoding: "buffer", valueEncoding: "buffer" } as const;
        assert.deepEqual(await db.getMany<Buffer, Buffer>([Buffer.from("é")], buffers), [Buffer.from("é")]);
        const [entry] = await db.iterator<Uint8Array, Uint8Array>({ ...view, gte: bytes }).all();
        assert.ok(entry);
        assert.ok(entry.every((part) => part instanceof Uint8Array));
        assert.deepEqual(
          entry.map((part) => Buffer.from(part)),
          [Buffer.from(bytes), Buffer.from(bytes)],
        );
        await db.clear<Uint8Array>({ ...view, gte: bytes });
        assert.equal(await db.has("é"), false);
      }
      await root.close();
    });
  }
});
