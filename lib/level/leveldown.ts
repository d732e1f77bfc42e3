import { type native, settle } from "../native.js";
import { AbstractDown, answer, type Callback } from "./abstract-down.js";
import { connect } from "./connection.js";
import { nativeRange, type RangeOptions } from "./cursor.js";
import { type CreationOptions, type LayoutOptions, nativeOpenOptions } from "./open-options.js";
import { refuseNearMisses } from "./option-names.js";
import { type ReadyIteratorOptions, S3LevelDownIterator } from "./s3-leveldown-iterator.js";
import type { S3Source } from "./s3-settings.js";
import { traced } from "./trace.js";

type OpenOptions = LayoutOptions & CreationOptions;
type Write = { type: "put"; key: Buffer; value: Buffer } | { type: "del"; key: Buffer };

/**
 * An ordered key-value database in a bucket, for levelup and what is built on it.
 *
 * It reads and writes the data of s3leveldown, whose place it takes. A key that is not there is an error
 * `NotFound`, as levelup expects; other errors have the codes of `S3Level`.
 */
class S3LevelDown extends AbstractDown {
  /** The bucket, with a folder after a slash. */
  readonly location: string;
  readonly #s3: S3Source | undefined;
  readonly #options: LayoutOptions;
  #database: native.LevelDatabase | undefined;

  /**
   * @param location `bucket` or `bucket/folder`.
   * @param s3 Settings, or a client of the AWS SDK (v2 or v3) to read them from. Default: from the environment.
   * @param options How the data is written; may also be given to `open()`.
   */
  constructor(location: string, s3?: S3Source, options: LayoutOptions = {}) {
    super({
      bufferKeys: true,
      // What an option says; opening tells what is there.
      snapshots: options?.layout === "lsm" && options?.readOnly !== true,
      permanence: true,
      seek: true,
      clear: true,
      getMany: true,
      createIfMissing: true,
      errorIfExists: true,
    });
    if (typeof location !== "string") throw new Error("constructor requires a location string argument");
    refuseNearMisses(options ?? {});
    this.location = location;
    this.#s3 = s3;
    this.#options = options;
  }

  /** Deletes the database at a location with all of its data; the bucket stays. */
  static destroy(location: string, s3: S3Source | undefined, callback: Callback): void;
  static destroy(location: string, callback: Callback): void;
  static destroy(location: string, s3?: S3Source): Promise<void>;
  static destroy(location: string, second?: S3Source | Callback, third?: Callback): Promise<void> | undefined {
    const callback = typeof second === "function" ? second : third;
    const source = typeof second === "function" ? undefined : second;
    const done = destroyAt(location, source);
    if (callback === undefined) return done;
    answer(done, callback);
    return undefined;
  }

  /** The requests sent by the databases that share these settings, by operation (`PutObject`, `GetObject`, …). */
  stats(): Readonly<Record<string, number>> {
    return this.#native.stats();
  }

  get #native(): native.LevelDatabase {
    if (this.#database === undefined) throw new Error("Database is not open");
    return this.#database;
  }

  protected _open(options: OpenOptions, callback: Callback): void {
    answer(traced("open", this.location, this.#open({ ...this.#options, ...options })), callback);
  }

  protected _close(callback: Callback): void {
    const closing = this.#database === undefined ? Promise.resolve() : settle(this.#database.close());
    answer(traced("close", this.location, closing), callback);
  }

  protected _get(key: Buffer, options: { asBuffer?: boolean }, callback: Callback<Buffer | string>): void {
    answer(traced("get", key, this.#get(key)), (error, value) => {
      if (error || value === undefined) return callback(error ?? notFound());
      callback(null, options.asBuffer === false ? value.toString() : value);
    });
  }

  protected _getMany(keys: Buffer[], options: { asBuffer?: boolean }, callback: Callback<unknown[]>): void {
    const shown = (value: Buffer | null | undefined) =>
      options.asBuffer === false ? value?.toString() : (value ?? undefined);
    const values = settle(this.#native.getMany(keys)).then((found) => found.map(shown));
    answer(traced("getMany", keys.length, values), callback);
  }

  protected _put(key: Buffer, value: Buffer, _options: object, callback: Callback): void {
    const stored = settle(this.#native.put(key, value, { ifNoneMatch: false })).then(nothing);
    answer(traced("put", key, stored), callback);
  }

  protected _del(key: Buffer, _options: object, callback: Callback): void {
    answer(traced("del", key, settle(this.#native.del(key))), callback);
  }

  protected _batch(writes: Write[], options: { sync?: boolean }, callback: Callback): void {
    const operations = writes.map((write) =>
      write.type === "put" ? { key: write.key, value: write.value } : { key: write.key },
    );
    const written = settle(this.#native.batch(operations, options.sync !== false));
    answer(traced("batch", writes.length, written), callback);
  }

  protected _clear(options: RangeOptions, callback: Callback): void {
    const cleared = settle(this.#native.clear(nativeRange({ ...options, values: false })));
    answer(traced("clear", this.location, cleared), callback);
  }

  protected _iterator(options: ReadyIteratorOptions): S3LevelDownIterator {
    return new S3LevelDownIterator(this, this.#native, options);
  }

  protected _serializeKey(key: unknown): Buffer | undefined {
    return key === undefined || key === null ? undefined : bytesOf(key);
  }

  protected _serializeValue(value: unknown): Buffer {
    return bytesOf(value);
  }

  async #open(options: OpenOptions): Promise<void> {
    const opening = nativeOpenOptions(this.location, options, options);
    const database = await settle((await connect(this.#s3, this.location)).open(opening));
    Object.assign(this.supports, { snapshots: database.hasSnapshots() });
    this.#database = database;
  }

  async #get(key: Buffer): Promise<Buffer | undefined> {
    return (await settle(this.#native.get(key))) ?? undefined;
  }
}

async function destroyAt(location: string, source: S3Source | undefined): Promise<void> {
  await settle((await connect(source, location)).destroy(location));
}

/** Bytes as they are, anything else as text. */
function bytesOf(value: unknown): Buffer {
  return value instanceof Uint8Array
    ? Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    : Buffer.from(String(value));
}

function notFound(): Error {
  return Object.assign(new Error("NotFound"), { code: "LEVEL_NOT_FOUND", notFound: true });
}

function nothing(): void {}

export = S3LevelDown;
