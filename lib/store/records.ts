import { ConflictError, NotFoundError, ValidationError } from "../errors.js";
import type { native } from "../native.js";
import { checkKeys, Entries, type ListOptions, pageOf, queryOf } from "./entries.js";
import { checkKey, checkOptions, describe, expectedOf, ttlOf } from "./key.js";
import type { Emission } from "./lifecycle.js";
import { cursorOf, ListQuery, type Page } from "./list-query.js";
import type { RawEntry, RawOutcome } from "./port.js";
import { type Check, checked, checkOf, type StandardSchema } from "./schema.js";
import { decode, encode } from "./value.js";
import type { Watch, WatchOptions, WatchTarget } from "./watch.js";
import type { Writer } from "./writer.js";

/** A record as it is stored. */
export interface StoredRecord<T> {
  /** Its key. */
  key: string;
  /** Its value. */
  value: T;
  /** From 1, one more with every put; goes on counting after a delete. */
  version: number;
  /** When it began to exist. */
  createdAt: Date;
  /** When it was last put. */
  updatedAt: Date;
}

/** Conditions and lifetime of a put. */
export interface PutOptions {
  /** Only when it has this version; `null`: only when it does not exist. Otherwise a ConflictError. */
  ifVersion?: number | null;
  /** How long it lives, in milliseconds. Default: for ever. */
  ttl?: number;
}

/** Which records to list. */
export interface RecordListOptions<T> extends ListOptions {
  /** Only records that it says true of, or whose top-level properties equal these. Runs here, page by page. */
  filter?: ((record: StoredRecord<T>) => boolean) | Partial<T>;
}

/** One of many puts. */
export interface PutItem<T> extends PutOptions {
  /** The key. */
  key: string;
  /** The value. */
  value: T;
}

/** A compare-and-swap loop gives up after so many lost races. */
const MAX_ATTEMPTS = 1000;

/** How many records a filter looks at in one call, at least. */
const LOOKED_AT_ONCE = 100;

/** Versioned values by key: documents, entities. */
export class Records<T = unknown> {
  readonly #writer: Writer;
  readonly #entries: Entries;
  readonly #check: Check | undefined;

  /** @internal */
  constructor(writer: Writer, check?: Check) {
    this.#writer = writer;
    this.#entries = new Entries(writer, 0);
    this.#check = check;
  }

  /**
   * Sets a record.
   * @throws ConflictError `VERSION_CONFLICT` with `details.expected` and `details.actual`; ValidationError
   */
  async put<V extends T>(key: string, value: V, options: PutOptions = {}): Promise<StoredRecord<V>> {
    if (this.#check !== undefined) value = (await this.#check(value)) as V;
    const step = putStep(key, value, options);
    const outcome = await this.#writer.one(step, (outcome) => [put(key, value, outcome)]);
    return stored(key, value, outcome);
  }

  /**
   * The record.
   * @throws NotFoundError `RECORD_NOT_FOUND`
   */
  async get<V extends T = T>(key: string): Promise<StoredRecord<V>> {
    const record = await this.find<V>(key);
    if (record !== undefined) return record;
    const message = `there is no record ${JSON.stringify(key)}; use find() where that is expected`;
    throw new NotFoundError(message, { code: "RECORD_NOT_FOUND", details: { key } });
  }

  /** The record, or `undefined`. */
  async find<V extends T = T>(key: string): Promise<StoredRecord<V> | undefined> {
    checkKey(key);
    const entry = await this.#writer.port.entry(0, key);
    return entry === undefined ? undefined : recordOf<V>(entry);
  }

  /** Whether the record exists. */
  has(key: string): Promise<boolean> {
    return this.#entries.has(key);
  }

  /**
   * Deletes a record. Gives back whether it was there.
   * @throws ConflictError `VERSION_CONFLICT` when `ifVersion` does not hold
   */
  async delete(key: string, options: { ifVersion?: number } = {}): Promise<boolean> {
    checkOptions(options, ["ifVersion"]);
    return this.#entries.delete(key, expectedOf(options.ifVersion));
  }

  /** Records in the order of their keys. */
  list<V extends T = T>(options: RecordListOptions<V> = {}): ListQuery<StoredRecord<V>> {
    const { filter, ...rest } = options;
    if (filter === undefined) return this.#entries.list(rest, (entry) => recordOf<V>(entry));
    return this.#filtered(rest, filter);
  }

  /** Puts many in one commit: all or none where `capabilities.atomic`. */
  async putMany<V extends T>(items: readonly PutItem<V>[]): Promise<StoredRecord<V>[]> {
    if (!Array.isArray(items)) {
      throw new ValidationError(`putMany takes an array, not ${describe(items)}`, { code: "INVALID_OPTION" });
    }
    if (this.#check !== undefined) items = await checked(items, this.#check);
    const steps = items.map(({ key, value, ...options }) => putStep(key, value, options));
    if (steps.length === 0) return [];
    const report = (outcomes: RawOutcome[]) => items.map(({ key, value }, at) => put(key, value, outcomes[at] ?? {}));
    const outcomes = await this.#writer.commit(steps, report);
    return items.map(({ key, value }, at) => stored(key, value, outcomes[at] ?? {}));
  }

  /** The records in the order of the keys; `undefined` where there is none. */
  async getMany<V extends T = T>(keys: readonly string[]): Promise<(StoredRecord<V> | undefined)[]> {
    const entries = await this.#entries.many(checkKeys(keys));
    return entries.map((entry) => (entry === null ? undefined : recordOf<V>(entry)));
  }

  /** Deletes keys in one commit, or all under a prefix in several. Gives back how many there were. */
  deleteMany(target: readonly string[] | { prefix: string }): Promise<number> {
    return this.#entries.deleteMany(target);
  }

  /**
   * Replaces a record by what `change` makes of its value; begins again when somebody else was faster.
   * @throws NotFoundError `RECORD_NOT_FOUND`
   */
  async update<V extends T = T>(key: string, change: (value: V) => V | Promise<V>): Promise<StoredRecord<V>> {
    for (let attempt = 1; ; attempt += 1) {
      const { value, version } = await this.get<V>(key);
      try {
        return await this.put(key, await change(value), { ifVersion: version });
      } catch (error) {
        if (!(error instanceof ConflictError) || error.code !== "VERSION_CONFLICT" || attempt >= MAX_ATTEMPTS)
          throw error;
      }
    }
  }

  /** How many records there are. */
  count(options: Pick<ListOptions, "prefix" | "start" | "end"> = {}): Promise<number> {
    return this.#entries.count(options);
  }

  /**
   * Changes of a key, or of all keys under a prefix, from now on, in the order of commits where
   * `capabilities.ordered`. A watched key also shows, after a moment and in its newest state only, what other
   * processes did and that it expired; a watched prefix shows what they did where `capabilities.notifies`.
   * @throws ConflictError `WATCH_OVERFLOW` from the iteration, when its reader fell too far behind
   */
  watch<V extends T = T>(target: WatchTarget, options: WatchOptions = {}): Watch<V> {
    return this.#entries.watch<V>(target, options);
  }

  /** The same records, with the type of their values; with a schema, what is put is checked by it first. */
  typed<U>(schema?: StandardSchema<U>): Records<U> {
    if (schema === undefined) return this as unknown as Records<U>;
    return new Records<U>(this.#writer, checkOf(schema));
  }

  #filtered<V extends T>(
    options: ListOptions,
    filter: NonNullable<RecordListOptions<V>["filter"]>,
  ): ListQuery<StoredRecord<V>> {
    const matches = typeof filter === "function" ? filter : equalTo(filter);
    const fetch = async (cursor: string | undefined, limit: number): Promise<Page<StoredRecord<V>>> => {
      // Looks at a page of some length, whatever the limit: few may match.
      const found = await this.#writer.port.list(0, queryOf(options, cursor, Math.max(limit, LOOKED_AT_ONCE)));
      const page = pageOf(found, (entry) => recordOf<V>(entry));
      const kept = page.items.filter(matches);
      const last = kept[limit - 1];
      if (kept.length <= limit || last === undefined) return { ...page, items: kept.slice(0, limit) };
      return { items: kept.slice(0, limit), cursor: cursorOf(last.key) };
    };
    return new ListQuery(fetch, { limit: options.limit, cursor: options.cursor });
  }
}

function equalTo<V>(wanted: Partial<V>): (record: StoredRecord<V>) => boolean {
  const pairs = Object.entries(wanted).map(([name, value]) => [name, encode(value)] as const);
  return ({ value }) =>
    typeof value === "object" &&
    value !== null &&
    pairs.every(([name, text]) => {
      const part = (value as Record<string, unknown>)[name];
      return part !== undefined && encode(part) === text;
    });
}

function putStep(key: string, value: unknown, options: PutOptions): native.StepData {
  checkKey(key);
  checkOptions(options, ["ifVersion", "ttl"]);
  const step: native.StepData = { kind: "put", space: 0, key, value: encode(value) };
  const expected = expectedOf(options.ifVersion);
  const ttlMs = ttlOf(options.ttl);
  if (expected !== undefined) step.expected = expected;
  if (ttlMs !== undefined) step.ttlMs = ttlMs;
  return step;
}

function put(key: string, value: unknown, outcome: RawOutcome): Emission {
  return ["record:put", { key, value, version: outcome.version ?? 0 }];
}

function stored<V>(key: string, value: V, outcome: RawOutcome): StoredRecord<V> {
  const { version = 0, createdAt = 0, updatedAt = 0 } = outcome;
  return { key, value, version, createdAt: new Date(createdAt), updatedAt: new Date(updatedAt) };
}

function recordOf<V>(entry: RawEntry): StoredRecord<V> {
  const value = decode(entry.value) as V;
  const { key, version } = entry;
  return { key, value, version, createdAt: new Date(entry.createdAt), updatedAt: new Date(entry.updatedAt) };
}
