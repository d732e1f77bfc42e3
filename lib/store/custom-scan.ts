import { ValidationError } from "../errors.js";
import type { native } from "../native.js";
import type { PersistAdapter } from "./options.js";

/** A key (behind the scanned prefix) and what is stored there. */
export interface Scanned {
  key: string;
  value: unknown;
}

/** Everything under a prefix, in whatever order the adapter gives it, however its `list` answers. */
export async function* everything(adapter: PersistAdapter, prefix: string): AsyncGenerator<Scanned, void, undefined> {
  const listed = (await adapter.list(prefix)) as AsyncIterable<Scanned> | Iterable<Scanned> | undefined;
  if (listed === undefined || listed === null || !(Symbol.asyncIterator in listed || Symbol.iterator in listed)) {
    const message = "list() of the adapter gives an async iterable of { key, value }, or a promise of one";
    throw new ValidationError(message, { code: "INVALID_ADAPTER" });
  }
  for await (const { key, value } of listed) {
    if (key.startsWith(prefix)) yield { key: key.slice(prefix.length), value };
  }
}

/** Compares keys by their UTF-8 bytes. */
export function compareKeys(one: string, other: string): number {
  return one === other ? 0 : Buffer.compare(Buffer.from(one), Buffer.from(other));
}

/** Keeps the first of many things in an order, and no more: what bounds memory. */
export class Firsts<T> {
  readonly #kept: T[] = [];

  constructor(
    readonly most: number,
    readonly compare: (one: T, other: T) => number,
  ) {}

  add(item: T): void {
    const last = this.#kept[this.#kept.length - 1];
    if (this.#kept.length >= this.most && (last === undefined || this.compare(item, last) >= 0)) return;
    let low = 0;
    for (let high = this.#kept.length; low < high; ) {
      const middle = (low + high) >> 1;
      if (this.compare(this.#kept[middle] as T, item) <= 0) low = middle + 1;
      else high = middle;
    }
    this.#kept.splice(low, 0, item);
    this.#kept.length = Math.min(this.#kept.length, this.most);
  }

  get items(): T[] {
    return this.#kept;
  }
}

/** Whether a key lies within the bounds of a query, and behind the page before. */
export function isWithin(key: string, query: native.ListQueryData): boolean {
  if (query.prefix !== undefined && !key.startsWith(query.prefix)) return false;
  if (query.start !== undefined && compareKeys(key, query.start) < 0) return false;
  if (query.end !== undefined && compareKeys(key, query.end) >= 0) return false;
  if (query.after === undefined) return true;
  const behind = compareKeys(key, query.after);
  return query.reverse === true ? behind < 0 : behind > 0;
}

/** The order of a query. */
export function orderOf(query: native.ListQueryData): (one: { key: string }, other: { key: string }) => number {
  return query.reverse === true
    ? (one, other) => compareKeys(other.key, one.key)
    : (one, other) => compareKeys(one.key, other.key);
}
