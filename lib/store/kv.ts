import { ValidationError } from "../errors.js";
import type { native } from "../native.js";
import { checkKeys, Entries, type ListOptions } from "./entries.js";
import { checkKey, checkOptions, describe, expectedOf, ttlOf } from "./key.js";
import type { Emission } from "./lifecycle.js";
import type { ListQuery } from "./list-query.js";
import type { RawOutcome } from "./port.js";
import { type Check, checked, checkOf, type StandardSchema } from "./schema.js";
import { decode, encode } from "./value.js";
import type { Watch, WatchOptions, WatchTarget } from "./watch.js";
import type { Writer } from "./writer.js";

/** Conditions and lifetime of a set. */
export interface SetOptions {
  /** How long it lives, in milliseconds. Default: for ever. */
  ttl?: number;
  /** Only when it has this version; `null`: only when it does not exist. Otherwise a ConflictError. */
  ifVersion?: number | null;
}

/** A key and its value. */
export interface KvEntry<T> {
  /** The key. */
  key: string;
  /** The value. */
  value: T;
}

/** One of many sets. */
export interface SetItem<T> extends KvEntry<T>, SetOptions {}

/** Small values by key: settings, sessions, counters, caches. */
export class Kv<T = unknown> {
  readonly #writer: Writer;
  readonly #entries: Entries;
  readonly #check: Check | undefined;

  /** @internal */
  constructor(writer: Writer, check?: Check) {
    this.#writer = writer;
    this.#entries = new Entries(writer, 1);
    this.#check = check;
  }

  /**
   * Sets a value.
   * @throws ConflictError `VERSION_CONFLICT`; ValidationError
   */
  async set(key: string, value: T, options: SetOptions = {}): Promise<void> {
    if (this.#check !== undefined) value = (await this.#check(value)) as T;
    await this.#writer.one(setStep(key, value, options), (outcome) => [set(key, value, outcome)]);
  }

  /** The value, or `undefined`. */
  async get<V extends T = T>(key: string): Promise<V | undefined> {
    checkKey(key);
    return decode(await this.#writer.port.value(1, key)) as V | undefined;
  }

  /** Deletes a value. Gives back whether it was there. */
  async delete(key: string): Promise<boolean> {
    return this.#entries.delete(key, undefined);
  }

  /** Whether there is a value. */
  has(key: string): Promise<boolean> {
    return this.#entries.has(key);
  }

  /** Keys and values in the order of the keys. */
  list<V extends T = T>(options: ListOptions = {}): ListQuery<KvEntry<V>> {
    return this.#entries.list(options, ({ key, value }) => ({ key, value: decode(value) as V }));
  }

  /** Keys in their order. */
  keys(options: Omit<ListOptions, "keysOnly"> = {}): ListQuery<string> {
    return this.#entries.list({ ...options, keysOnly: true }, ({ key }) => key);
  }

  /** The values in the order of the keys; `undefined` where there is none. */
  async getMany<V extends T = T>(keys: readonly string[]): Promise<(V | undefined)[]> {
    const entries = await this.#entries.many(checkKeys(keys));
    return entries.map((entry) => (entry === null ? undefined : (decode(entry.value) as V)));
  }

  /** Sets many in one commit: all or none where `capabilities.atomic`. Takes items, a Map or a plain object. */
  async setMany(values: readonly SetItem<T>[] | ReadonlyMap<string, T> | Readonly<Record<string, T>>): Promise<void> {
    const given = itemsOf(values);
    const items = this.#check === undefined ? given : await checked(given, this.#check);
    if (items.length === 0) return;
    const steps = items.map(({ key, value, ...options }) => setStep(key, value, options));
    await this.#writer.commit(steps, (outcomes) =>
      items.map(({ key, value }, at) => set(key, value, outcomes[at] ?? {})),
    );
  }

  /** Deletes keys in one commit, or all under a prefix in several. Gives back how many there were. */
  deleteMany(target: readonly string[] | { prefix: string }): Promise<number> {
    return this.#entries.deleteMany(target);
  }

  /**
   * Adds to a number, which begins at 0, and gives back the sum. An expiry that is set stays.
   * @throws ValidationError `NOT_A_NUMBER` when something else is stored there
   */
  async increment(key: string, by = 1): Promise<number> {
    checkKey(key);
    if (typeof by !== "number" || !Number.isFinite(by)) {
      throw new ValidationError(`increment adds a finite number, not ${describe(by)}`, { code: "NOT_A_NUMBER" });
    }
    const step: native.StepData = { kind: "add", space: 1, key, by };
    const outcome = await this.#writer.one(step, (outcome) => [set(key, outcome.value, outcome)]);
    return outcome.value ?? 0;
  }

  /** How many there are. */
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

  /** The same entries, with the type of their values; with a schema, what is set is checked by it first. */
  typed<U>(schema?: StandardSchema<U>): Kv<U> {
    if (schema === undefined) return this as unknown as Kv<U>;
    return new Kv<U>(this.#writer, checkOf(schema));
  }
}

function itemsOf<T>(
  values: readonly SetItem<T>[] | ReadonlyMap<string, T> | Readonly<Record<string, T>>,
): readonly SetItem<T>[] {
  if (Array.isArray(values)) return values as readonly SetItem<T>[];
  if (typeof values !== "object" || values === null) {
    throw new ValidationError(`setMany takes items, a Map or an object, not ${describe(values)}`, {
      code: "INVALID_OPTION",
    });
  }
  const pairs: Iterable<[string, T]> = values instanceof Map ? values : Object.entries(values);
  return Array.from(pairs, ([key, value]) => ({ key, value }));
}

function setStep(key: string, value: unknown, options: SetOptions): native.StepData {
  checkKey(key);
  checkOptions(options, ["ttl", "ifVersion"]);
  const step: native.StepData = { kind: "put", space: 1, key, value: encode(value) };
  const expected = expectedOf(options.ifVersion);
  const ttlMs = ttlOf(options.ttl);
  if (expected !== undefined) step.expected = expected;
  if (ttlMs !== undefined) step.ttlMs = ttlMs;
  return step;
}

function set(key: string, value: unknown, outcome: RawOutcome): Emission {
  return ["kv:set", { key, value, version: outcome.version ?? 0 }];
}
