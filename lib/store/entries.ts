import { ValidationError } from "../errors.js";
import type { native } from "../native.js";
import { checkKey, checkOptions, checkWhole, describe } from "./key.js";
import type { Emission } from "./lifecycle.js";
import { cursorOf, keyOfCursor, ListQuery, type Page } from "./list-query.js";
import type { RawEntry, RawOutcome, RawPage, Space } from "./port.js";
import { Watch, type WatchOptions, type WatchTarget } from "./watch.js";
import type { Writer } from "./writer.js";

/** Which items a list gives, in the order of their keys' UTF-8 bytes. */
export interface ListOptions {
  /** Only keys that start with it. */
  prefix?: string;
  /** The first key, included. */
  start?: string;
  /** Where to stop: the first key that is left out. */
  end?: string;
  /** From the last to the first. Default false. */
  reverse?: boolean;
  /** At most so many. Default: all when awaited or streamed, 100 a `page()`. */
  limit?: number;
  /** Begins where the page that gave it ended. */
  cursor?: string;
  /** Leaves the values out (they are `undefined`). Default false. */
  keysOnly?: boolean;
}

const LIST_OPTIONS = ["prefix", "start", "end", "reverse", "limit", "cursor", "keysOnly"];
/** How many keys a delete by prefix takes at once. */
const DELETES_AT_ONCE = 500;

/** List options as a port takes them. */
export function queryOf(
  options: ListOptions,
  cursor: string | undefined,
  limit: number,
  more: readonly string[] = [],
): native.ListQueryData {
  checkOptions(options, [...LIST_OPTIONS, ...more]);
  const query: native.ListQueryData = { limit: checkWhole(limit, "limit", 0) };
  for (const name of ["prefix", "start", "end"] as const) {
    const bound = options[name];
    if (bound === undefined) continue;
    checkKey(bound, name);
    query[name] = bound;
  }
  if (options.reverse === true) query.reverse = true;
  if (options.keysOnly === true) query.keysOnly = true;
  if (cursor !== undefined) query.after = keyOfCursor(cursor);
  return query;
}

/** A raw page with its items turned and its cursor made opaque. */
export function pageOf<T, U>(page: RawPage<T>, turn: (item: T) => U): Page<U> {
  const turned: Page<U> = { items: page.items.map(turn) };
  if (page.next !== undefined) turned.cursor = cursorOf(page.next);
  return turned;
}

/** What records and kv share. */
export class Entries {
  constructor(
    readonly writer: Writer,
    readonly space: Space,
  ) {}

  list<U>(options: ListOptions, turn: (entry: RawEntry) => U): ListQuery<U> {
    const fetch = async (cursor: string | undefined, limit: number): Promise<Page<U>> =>
      pageOf(await this.writer.port.list(this.space, queryOf(options, cursor, limit)), turn);
    return new ListQuery(fetch, { limit: options.limit, cursor: options.cursor });
  }

  async count(options: Pick<ListOptions, "prefix" | "start" | "end">): Promise<number> {
    return this.writer.port.count(this.space, queryOf(options, undefined, 0));
  }

  async has(key: string): Promise<boolean> {
    checkKey(key);
    return (await this.writer.port.entry(this.space, key)) !== undefined;
  }

  async many(keys: readonly string[]): Promise<(RawEntry | null)[]> {
    return this.writer.port.entries(this.space, checkKeys(keys));
  }

  watch<T>(target: WatchTarget, options: WatchOptions): Watch<T> {
    return new Watch<T>(this, target, options);
  }

  async delete(key: string, expected: number | undefined): Promise<boolean> {
    checkKey(key);
    const report = (outcome: RawOutcome) => this.#deleted([key], [outcome]);
    return (await this.writer.one(this.#deleteStep(key, expected), report)).existed === true;
  }

  /** Deletes keys in one commit, or everything under a prefix page by page. Gives back how many there were. */
  async deleteMany(target: readonly string[] | { prefix: string }): Promise<number> {
    if (Array.isArray(target)) return this.#deleteKeys(checkKeys(target));
    const { prefix } = checkPrefix(target);
    let deleted = 0;
    for (;;) {
      const query: native.ListQueryData = { prefix, limit: DELETES_AT_ONCE, keysOnly: true };
      const page = await this.writer.port.list(this.space, query);
      if (page.items.length > 0) deleted += await this.#deleteKeys(page.items.map((entry) => entry.key));
      if (page.next === undefined) return deleted;
    }
  }

  async #deleteKeys(keys: string[]): Promise<number> {
    if (keys.length === 0) return 0;
    const steps = keys.map((key) => this.#deleteStep(key, undefined));
    const outcomes = await this.writer.commit(steps, (outcomes) => this.#deleted(keys, outcomes));
    return outcomes.filter((outcome) => outcome.existed === true).length;
  }

  #deleteStep(key: string, expected: number | undefined): native.StepData {
    const step: native.StepData = { kind: "delete", space: this.space, key };
    if (expected !== undefined) step.expected = expected;
    return step;
  }

  #deleted(keys: readonly string[], outcomes: readonly RawOutcome[]): Emission[] {
    const type = this.space === 0 ? "record:delete" : "kv:delete";
    return keys.filter((_, at) => outcomes[at]?.existed === true).map((key): Emission => [type, { key }]);
  }
}

/** Refuses what is no array of keys. */
export function checkKeys(keys: readonly string[]): string[] {
  if (!Array.isArray(keys)) {
    throw new ValidationError(`keys are an array of strings, not ${describe(keys)}`, { code: "INVALID_KEY" });
  }
  for (const key of keys) checkKey(key);
  return keys;
}

/** Refuses a target without a prefix: it would be everything. */
export function checkPrefix(target: unknown): { prefix: string } {
  const prefix = (target as { prefix?: unknown } | null | undefined)?.prefix;
  if (typeof prefix !== "string") {
    const message = 'give an array of keys, or { prefix }; { prefix: "" } is everything';
    throw new ValidationError(message, { code: "INVALID_OPTION" });
  }
  checkKey(prefix, "prefix");
  return { prefix };
}
