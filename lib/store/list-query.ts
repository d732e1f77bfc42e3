import { ValidationError } from "../errors.js";

/** A page of a list. */
export interface Page<T> {
  /** The items, in order. */
  items: T[];
  /** Give it as the `cursor` option for the next page; absent when there is none. Opaque. */
  cursor?: string;
}

/** Fetches a page of at most `limit` items that begins behind `cursor`. */
export type FetchPage<P> = (cursor: string | undefined, limit: number) => Promise<P>;

/** How many items are asked for at once when all are wanted. */
const ITEMS_AT_ONCE = 500;
/** How many items a page has when nothing else was said. */
const PAGE_ITEMS = 100;

/**
 * A list that has not run yet: `await` it for an array, `for await` to stream it in bounded memory, or ask
 * for a `page()` at a time. A list is never cut silently.
 */
export class ListQuery<T, P extends Page<T> = Page<T>> implements PromiseLike<T[]>, AsyncIterable<T> {
  readonly #fetch: FetchPage<P>;
  readonly #limit: number | undefined;
  readonly #cursor: string | undefined;
  #all: Promise<T[]> | undefined;

  /** @internal */
  constructor(fetch: FetchPage<P>, options: { limit?: number | undefined; cursor?: string | undefined } = {}) {
    this.#fetch = fetch;
    this.#limit = options.limit;
    this.#cursor = options.cursor;
  }

  /** One page: at most `limit` items (default 100), fewer when they are large. */
  page(): Promise<P> {
    return this.#fetch(this.#cursor, this.#limit ?? PAGE_ITEMS);
  }

  /** Streams the items; holds one page at a time. */
  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for await (const page of this.pages()) yield* page.items;
  }

  /** Streams the pages. */
  async *pages(): AsyncGenerator<P, void, undefined> {
    let left = this.#limit ?? Number.POSITIVE_INFINITY;
    let cursor = this.#cursor;
    do {
      const page = await this.#fetch(cursor, Math.min(left, ITEMS_AT_ONCE));
      left -= page.items.length;
      yield page;
      cursor = page.cursor;
    } while (cursor !== undefined && left > 0);
  }

  // biome-ignore lint/suspicious/noThenProperty: a list is awaited
  then<A = T[], B = never>(
    fulfilled?: ((items: T[]) => A | PromiseLike<A>) | null,
    rejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.#all ??= this.#collect();
    return this.#all.then(fulfilled, rejected);
  }

  catch<B = never>(rejected?: ((reason: unknown) => B | PromiseLike<B>) | null): Promise<T[] | B> {
    return this.then(undefined, rejected);
  }

  finally(done?: (() => void) | null): Promise<T[]> {
    return this.then().finally(done);
  }

  async #collect(): Promise<T[]> {
    const items: T[] = [];
    for await (const page of this.pages()) items.push(...page.items);
    return items;
  }
}

/** A key as an opaque cursor. */
export function cursorOf(key: string): string {
  return Buffer.from(key, "utf8").toString("base64url");
}

/** The key of a cursor. */
export function keyOfCursor(cursor: unknown): string {
  const key = typeof cursor === "string" ? Buffer.from(cursor, "base64url").toString("utf8") : "";
  if (key !== "" && cursorOf(key) === cursor) return key;
  throw new ValidationError("the cursor is none that page() gave; begin without one", { code: "INVALID_CURSOR" });
}
