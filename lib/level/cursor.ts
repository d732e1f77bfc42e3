import { type native, open, settle } from "../native.js";
import { type Entry, unpack } from "./entries.js";

/** Entries and bytes in one crossing of the border; both bound what is held here. */
const PAGE_ENTRIES = 1000;
const PAGE_BYTES = 1 << 20;

/** The range of an iterator, with keys as bytes. `gte` counts before `gt`, and `lte` before `lt`. */
export interface RangeOptions {
  gt?: Uint8Array | undefined;
  gte?: Uint8Array | undefined;
  lt?: Uint8Array | undefined;
  lte?: Uint8Array | undefined;
  reverse?: boolean | undefined;
  /** Negative or infinite for all. */
  limit?: number | undefined;
  values?: boolean | undefined;
  /** Most keys in one list of S3: 1 to 1,000. */
  s3ListObjectMaxKeys?: number | undefined;
}

/** A range as the native side takes it. */
export function nativeRange(options: RangeOptions): native.LevelRange {
  const { limit, s3ListObjectMaxKeys } = options;
  const bounded = limit !== undefined && limit >= 0 && limit <= 0xffff_ffff;
  return {
    gt: options.gt,
    gte: options.gte,
    lt: options.lt,
    lte: options.lte,
    reverse: options.reverse === true,
    values: options.values !== false,
    ...(bounded ? { limit } : {}),
    ...(s3ListObjectMaxKeys === undefined ? {} : { pageKeys: s3ListObjectMaxKeys }),
  };
}

/** Reads a native cursor a page at a time. */
export class Cursor {
  readonly #cursor: native.LevelCursor | undefined;
  readonly #failure: unknown;
  readonly #values: boolean;
  #ready: Entry[] = [];
  #at = 0;
  #target: Uint8Array | undefined;

  constructor(database: native.LevelDatabase, options: RangeOptions, snapshot?: native.LevelSnapshot) {
    // An iterator that can't be made fails when it is read: thrown here, it would stay attached to its database.
    try {
      this.#cursor = open(database.iterate(nativeRange(options), snapshot));
    } catch (error) {
      this.#failure = error;
    }
    this.#values = options.values !== false;
  }

  /** The next entry, or `undefined` at the end. */
  async next(): Promise<Entry | undefined> {
    if (this.#at >= this.#ready.length) await this.#fill(PAGE_ENTRIES);
    return this.#ready[this.#at++];
  }

  /** The next `size` entries; fewer at the end. */
  async take(size: number): Promise<Entry[]> {
    const taken: Entry[] = [];
    while (taken.length < size) {
      if (this.#at >= this.#ready.length) await this.#fill(Math.min(size - taken.length, PAGE_ENTRIES));
      if (this.#ready.length === 0) break;
      const end = this.#at + size - taken.length;
      for (const entry of this.#ready.slice(this.#at, end)) taken.push(entry);
      this.#at = end;
    }
    return taken;
  }

  /** The next read starts at this key. */
  seek(target: Uint8Array): void {
    this.#ready = [];
    this.#at = 0;
    this.#target = target;
  }

  async close(): Promise<void> {
    this.#ready = [];
    if (this.#cursor !== undefined) await settle(this.#cursor.close());
  }

  async #fill(entries: number): Promise<void> {
    if (this.#cursor === undefined) throw this.#failure;
    const target = this.#target;
    this.#target = undefined;
    this.#ready = unpack(await settle(this.#cursor.next(entries, PAGE_BYTES, target)), this.#values);
    this.#at = 0;
  }
}
