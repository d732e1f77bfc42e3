import { type AbstractDelOptions, AbstractLevel, type AbstractPutOptions } from "abstract-level";
import { type native, open, settle } from "../native.js";
import { connect } from "./connection.js";
import { nativeRange, type RangeOptions } from "./cursor.js";
import { type MigrationOptions, type MigrationProgress, migrate } from "./migrate.js";
import { type CreationOptions, type LayoutOptions, nativeOpenOptions } from "./open-options.js";
import { refuseNearMisses } from "./option-names.js";
import { type ReadOptions, S3LevelIterator } from "./s3-level-iterator.js";
import { S3LevelSnapshot } from "./s3-level-snapshot.js";
import { invalid, isS3Setting, type S3Settings, type S3Source } from "./s3-settings.js";

type Encoding<T> = NonNullable<ConstructorParameters<typeof AbstractLevel<Buffer, T, T>>[1]>["keyEncoding"];

/** Options of {@link S3Level}, among them how to reach S3; its default comes from the environment. */
export interface S3LevelOptions<K = string, V = string> extends S3Settings, LayoutOptions {
  /** How to reach S3 instead: settings, or a client of the AWS SDK to read them from. Databases that are given the
   * same object share its connections. */
  s3?: S3Source | undefined;
  /** Encoding of keys. Default `"utf8"`. */
  keyEncoding?: Encoding<K>;
  /** Encoding of values. Default `"utf8"`. */
  valueEncoding?: Encoding<V>;
  /** Makes the bucket and the database where they are missing. Default true. */
  createIfMissing?: boolean | undefined;
  /** Refuses to open a database that is there. Default false. */
  errorIfExists?: boolean | undefined;
}

/** How a write is acknowledged. */
export interface WriteDurability {
  /** False to acknowledge a write before it is stored, in layout `"lsm"`: it is stored within 100 ms, with all before
   * it, or lost with its process. Default true. */
  sync?: boolean | undefined;
}

/** Conditions on a write, in layout `"objects"`. */
export interface WriteConditions {
  /** Only when nothing is stored under the key. Default false. */
  ifNoneMatch?: boolean | undefined;
  /** Only when what is stored under the key has this ETag, as `getWithEtag()` gives it. */
  ifMatch?: string | undefined;
}

type WriteOptions = WriteConditions & WriteDurability;
type Write = { type: "put"; key: Buffer; value: Buffer } | { type: "del"; key: Buffer };

/**
 * An ordered key-value database in a bucket, for the Level ecosystem.
 *
 * A batch is there wholly or not at all, also when its process dies. In layout `"lsm"` reads are of one moment, and one
 * process writes; in layout `"objects"` iterators are no snapshots, and any number may write. `docs/level.md` says more.
 * Beside Level's own, errors have codes such as `LEVEL_BUCKET_NOT_FOUND`, `LEVEL_ACCESS_DENIED`,
 * `LEVEL_CONNECTION_FAILED`, `LEVEL_TIMEOUT`, `LEVEL_CONFLICT`, `LEVEL_INVALID_KEY` and `LEVEL_LAYOUT_MISMATCH`.
 */
export class S3Level<K = string, V = string> extends AbstractLevel<Buffer, K, V> {
  /** The bucket, with a folder after a slash. */
  readonly location: string;
  readonly #s3: S3Source | undefined;
  readonly #layout: LayoutOptions;
  #database: native.LevelDatabase | undefined;

  /** Opens `bucket` or `bucket/folder`, at once and in the background; `open()` waits for it. */
  constructor(location: string, options: S3LevelOptions<K, V> = {}) {
    const { s3, layout, keyFormat, batchPatience, readOnly, refreshInterval, ...rest } = options ?? {};
    const [flat, forward] = divided(rest);
    super(
      {
        encodings: { buffer: true },
        has: true,
        seek: true,
        permanence: true,
        createIfMissing: true,
        errorIfExists: true,
        // What an option says; opening tells what is there.
        implicitSnapshots: layout === "lsm" && readOnly !== true,
        explicitSnapshots: layout === "lsm" && readOnly !== true,
        additionalMethods: { getWithEtag: true, stats: true },
      },
      forward as ConstructorParameters<typeof AbstractLevel<Buffer, K, V>>[1],
    );
    if (typeof location !== "string")
      throw new TypeError("The first argument 'location' must be a string: bucket or bucket/folder");
    this.location = location;
    if (s3 !== undefined && flat !== undefined) {
      throw invalid(`s3 and ${Object.keys(flat).join(", ")} both say how to reach S3; give one of them`);
    }
    this.#s3 = s3 ?? flat;
    this.#layout = { layout, keyFormat, batchPatience, readOnly, refreshInterval };
  }

  /** Deletes the database at a location with all of its data; the bucket stays. */
  static async destroy(location: string, s3?: S3Source): Promise<void> {
    await settle((await connect(s3, location)).destroy(location));
  }

  /**
   * Copies the database at `source` into a new one at `target`, of either layout; nobody may write to either meanwhile.
   * A copy that was interrupted goes on when it is called again; until it is whole nobody can open the target.
   */
  static migrate(source: string, target: string, options: MigrationOptions): Promise<MigrationProgress> {
    return migrate(source, target, options);
  }

  /** Stores a value. Rejects with `LEVEL_CONFLICT` when a condition does not hold, and nothing is stored then. */
  override put(key: K, value: V): Promise<void>;
  override put<KO = K, VO = V>(
    key: KO,
    value: VO,
    options: AbstractPutOptions<KO, VO> & WriteConditions & WriteDurability,
  ): Promise<void>;
  override put(key: K, value: V, options: AbstractPutOptions<K, V> = {}): Promise<void> {
    return super.put(key, value, options);
  }

  /** Deletes a key; one that is not there is no error, except with `ifMatch`. */
  override del(key: K): Promise<void>;
  override del<KO = K>(
    key: KO,
    options: AbstractDelOptions<KO> & Pick<WriteConditions, "ifMatch"> & WriteDurability,
  ): Promise<void>;
  override del(key: K, options: AbstractDelOptions<K> = {}): Promise<void> {
    return super.del(key, options);
  }

  /** The value of a key with its ETag, or `undefined`: write it back with `{ ifMatch: etag }` and no update is lost. */
  async getWithEtag(key: K): Promise<{ value: V; etag: string } | undefined> {
    if (this.status === "opening") await this.open({ passive: true });
    // The manifest declares no other format than bytes, so these are what encodings give and take.
    const encoded = this.keyEncoding().encode(key) as unknown as Buffer;
    const found = await settle(this.#native.getWithEtag(encoded));
    if (!found) return undefined;
    return { value: this.valueEncoding().decode(found.value) as V, etag: found.etag };
  }

  /** The requests sent by the databases that share these settings, by operation (`PutObject`, `GetObject`, …). */
  stats(): Readonly<Record<string, number>> {
    return this.#native.stats();
  }

  get #native(): native.LevelDatabase {
    if (this.#database === undefined) {
      throw Object.assign(new Error("Database is not open"), { code: "LEVEL_DATABASE_NOT_OPEN" });
    }
    return this.#database;
  }

  protected async _open(creation: CreationOptions): Promise<void> {
    const options = nativeOpenOptions(this.location, this.#layout, creation);
    const database = await settle((await connect(this.#s3, this.location)).open(options));
    const snapshots = database.hasSnapshots();
    Object.assign(this.supports, { implicitSnapshots: snapshots, explicitSnapshots: snapshots, snapshots });
    this.#database = database;
  }

  protected async _close(): Promise<void> {
    const database = this.#database;
    this.#database = undefined;
    if (database !== undefined) await settle(database.close());
  }

  // Not asynchronous: what reads see is settled when they are called.
  protected _get(key: Buffer, { snapshot }: ReadOptions): Promise<Buffer | undefined> {
    return settle(this.#native.get(key, snapshot?.native)).then((value) => value ?? undefined);
  }

  protected _getMany(keys: Buffer[], { snapshot }: ReadOptions): Promise<(Buffer | undefined)[]> {
    return settle(this.#native.getMany(keys, snapshot?.native)).then((all) => all.map((value) => value ?? undefined));
  }

  protected _has(key: Buffer, { snapshot }: ReadOptions): Promise<boolean> {
    return settle(this.#native.hasMany([key], snapshot?.native)).then(([found]) => found === true);
  }

  protected _hasMany(keys: Buffer[], { snapshot }: ReadOptions): Promise<boolean[]> {
    return settle(this.#native.hasMany(keys, snapshot?.native));
  }

  protected async _put(key: Buffer, value: Buffer, { ifNoneMatch, ifMatch, sync }: WriteOptions): Promise<void> {
    if (sync === false && ifNoneMatch !== true && ifMatch === undefined) {
      return settle(this.#native.batch([{ key, value }], false));
    }
    const condition = { ifNoneMatch: ifNoneMatch === true, ...(ifMatch === undefined ? {} : { ifMatch }) };
    await settle(this.#native.put(key, value, condition));
  }

  protected async _del(key: Buffer, { ifMatch, sync }: WriteOptions): Promise<void> {
    if (sync === false && ifMatch === undefined) return settle(this.#native.batch([{ key }], false));
    await settle(this.#native.del(key, ifMatch));
  }

  protected async _batch(operations: Write[], { sync }: WriteOptions): Promise<void> {
    const writes = operations.map((write) =>
      write.type === "put" ? { key: write.key, value: write.value } : { key: write.key },
    );
    await settle(this.#native.batch(writes, sync !== false));
  }

  protected _clear(options: RangeOptions & ReadOptions): Promise<void> {
    return settle(this.#native.clear(nativeRange({ ...options, values: false }), options.snapshot?.native));
  }

  protected _iterator(options: RangeOptions & ReadOptions): S3LevelIterator<K, V> {
    return new S3LevelIterator(this, this.#native, options);
  }

  protected _snapshot(options: object): S3LevelSnapshot {
    if (!this.#native.hasSnapshots()) {
      const message = 'Snapshots are for layout "lsm", opened for writing';
      throw Object.assign(new Error(message), { code: "LEVEL_NOT_SUPPORTED" });
    }
    return new S3LevelSnapshot(open(this.#native.snapshot()), options);
  }
}

/** Options for S3, if there are any, and those of Level. */
function divided(options: object): [S3Settings | undefined, object] {
  refuseNearMisses(options);
  const entries = Object.entries(options);
  const flat = entries.filter(([name]) => isS3Setting(name));
  const level = entries.filter(([name]) => !isS3Setting(name));
  return [flat.length > 0 ? Object.fromEntries(flat) : undefined, Object.fromEntries(level)];
}
