import { ClosedError, ConflictError, PersistError, ValidationError } from "../errors.js";
import type { Entries } from "./entries.js";
import { checkKey, checkOptions, describe } from "./key.js";
import { OthersChanges } from "./others-changes.js";
import type { RawEntry } from "./port.js";
import { decode } from "./value.js";
import type { RawChange, Watcher } from "./watches.js";

/** A change that a watch saw. */
export type Change<T> =
  | {
      /** It was put, or set. */
      type: "put";
      /** Its key. */
      key: string;
      /** Its value in this version. */
      value: T;
      /** Its new version. */
      version: number;
    }
  | {
      /** It was deleted, or it expired. */
      type: "delete";
      /** Its key. */
      key: string;
    };

/** What to watch: one key, or all that start with a prefix (`""`: all). */
export type WatchTarget = string | { prefix: string };

/** When a watch ends. */
export interface WatchOptions {
  /** Ends the watch. */
  signal?: AbortSignal;
}

/** How many changes wait for a reader. */
const MOST_WAITING = 1000;
/** How many UTF-16 units of JSON wait for a reader. */
const MOST_WAITING_LENGTH = 16 << 20;
/** How often a watched key is read, in milliseconds: for other processes' changes, and for expiry. */
const LOOK_EVERY_MS = 250;
/** The same where a read is a request. */
const ASK_EVERY_MS = 1000;

/**
 * Changes as they are committed, from the call of `watch` on. Iterate it once; `break`, `return()`, the signal
 * and closing the store end it. It does not keep the process alive.
 *
 * A reader that is slower than the writers finds at most 1,000 changes, or 16 MiB of JSON, waiting; beyond that
 * the watch ends with a ConflictError `WATCH_OVERFLOW` after the changes that wait: list again, and watch anew.
 */
export class Watch<T> implements AsyncIterableIterator<Change<T>> {
  readonly #entries: Entries;
  readonly #target: WatchTarget;
  readonly #signal: AbortSignal | undefined;
  readonly #watcher: Watcher;
  readonly #waiting: RawChange[] = [];
  #waitingLength = 0;
  #state: "open" | "failed" | "ended" = "open";
  #wake = () => {};
  #turn: Promise<unknown> = Promise.resolve();
  /** What is known of the one watched key: its version, 0 when it is absent. */
  #known = 0;
  #baseline: Promise<void> | undefined;
  #lookEveryMs = LOOK_EVERY_MS;
  /** How many changes were told; a look that was overtaken by one is void. */
  #told = 0;
  /** What other processes change under a prefix, where the adapter tells. */
  #others: OthersChanges | undefined;
  /** What ended the watch, to be thrown behind what waits. */
  #failure: unknown;
  #stopHearing = () => {};

  /** @internal */
  constructor(entries: Entries, target: WatchTarget, options: WatchOptions) {
    checkOptions(options, ["signal"]);
    this.#entries = entries;
    this.#target = checkTarget(target);
    this.#signal = options.signal;
    this.#watcher = {
      space: entries.space,
      wants: (key) => (typeof target === "string" ? key === target : key.startsWith(target.prefix)),
      tell: (change) => this.#tell(change),
      end: this.#end,
    };
    entries.writer.lifecycle.watches.add(this.#watcher);
    if (typeof target === "string") this.#baseline = this.#begin(target);
    if (entries.writer.news.areTold) this.#hearOthers();
    if (this.#signal?.aborted === true) this.#end();
    else this.#signal?.addEventListener("abort", this.#end, { once: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** The next change; `done` when the watch has ended. */
  next(): Promise<IteratorResult<Change<T>, undefined>> {
    const next = this.#turn.then(() => this.#take());
    this.#turn = next.catch(() => {});
    return next;
  }

  /** Ends the watch. */
  async return(): Promise<IteratorResult<Change<T>, undefined>> {
    this.#waiting.length = 0;
    this.#end();
    this.#state = "ended";
    return { done: true, value: undefined };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  async #take(): Promise<IteratorResult<Change<T>, undefined>> {
    for (;;) {
      const change = this.#waiting.shift();
      if (change !== undefined) {
        this.#waitingLength -= lengthOf(change);
        return { done: false, value: changeOf<T>(change) };
      }
      if (this.#state === "failed") {
        this.#state = "ended";
        throw this.#failure;
      }
      if (this.#state === "ended") return { done: true, value: undefined };
      await this.#pause();
      if (this.#state === "open" && this.#waiting.length === 0) await this.#look();
    }
  }

  /** Until something happens, or it is time to look. */
  async #pause(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      if (typeof this.#target === "string") setTimeout(resolve, this.#lookEveryMs).unref();
    });
    this.#wake = () => {};
  }

  /** Reads the one watched key: what this process was not told. */
  async #look(): Promise<void> {
    if (typeof this.#target !== "string") return;
    const key = this.#target;
    const told = this.#told;
    await this.#baseline;
    const entry = await this.#read(key);
    if (this.#told !== told || this.#state !== "open" || entry === null) return;
    const version = entry?.version ?? 0;
    if (version === this.#known) return;
    this.#known = version;
    this.#push(entry === undefined ? { key } : { key, value: JSON.stringify(entry.value), version });
  }

  #hearOthers(): void {
    const { space, writer } = this.#entries;
    const { wants } = this.#watcher;
    if (typeof this.#target === "string") {
      const { begun, stop } = writer.news.hear((news) => {
        if ("gap" in news || news.changed.some(([of, key]) => of === space && wants(key))) this.#wake();
      });
      // Without news, the key is looked at now and then.
      begun.catch(() => {});
      this.#stopHearing = stop;
      return;
    }
    const others = new OthersChanges(this.#entries, {
      wants,
      push: (change) => this.#push(change),
      fail: (error) => this.#fail(error),
    });
    this.#others = others;
    this.#stopHearing = () => others.stop();
  }

  #fail(error: unknown): void {
    if (this.#state !== "open") return;
    const isClosed = error instanceof ClosedError;
    this.#failure = error;
    this.#end();
    if (!isClosed) this.#state = "failed";
  }

  async #begin(key: string): Promise<void> {
    const told = this.#told;
    // What can't be read now can't by the first look either, and that one says why.
    const entry = await this.#read(key).catch(() => null);
    if (this.#told === told) this.#known = entry?.version ?? 0;
  }

  /** The entry; `null` when there is no telling now. */
  async #read(key: string): Promise<RawEntry | undefined | null> {
    const { writer, space } = this.#entries;
    try {
      const answer = writer.port.entry(space, key);
      if (answer instanceof Promise) this.#lookEveryMs = ASK_EVERY_MS;
      return await answer;
    } catch (error) {
      if (error instanceof ClosedError) this.#end();
      else if (!(error instanceof PersistError && error.retryable)) throw error;
      return null;
    }
  }

  #tell(change: RawChange): void {
    if (typeof this.#target === "string") {
      // Where commits have no order, news of an older version may come late.
      if (change.version !== undefined && change.version <= this.#known) return;
      this.#told += 1;
      this.#known = change.version ?? 0;
    }
    if (this.#others?.isNews(change) === false) return;
    this.#push(change);
  }

  #push(change: RawChange): void {
    if (this.#state !== "open") return;
    const length = lengthOf(change);
    const isFirst = this.#waiting.length === 0;
    if (!isFirst && (this.#waiting.length >= MOST_WAITING || this.#waitingLength + length > MOST_WAITING_LENGTH)) {
      const message = "the reader of a watch fell too far behind; list again, and watch anew";
      this.#fail(new ConflictError(message, { code: "WATCH_OVERFLOW", retryable: true }));
    } else {
      this.#waiting.push(change);
      this.#waitingLength += length;
    }
    this.#wake();
  }

  readonly #end = (): void => {
    if (this.#state === "open") this.#state = "ended";
    this.#stopHearing();
    this.#entries.writer.lifecycle.watches.remove(this.#watcher);
    this.#signal?.removeEventListener("abort", this.#end);
    this.#wake();
  };
}

function checkTarget(target: WatchTarget): WatchTarget {
  const prefix = (target as { prefix?: unknown } | null)?.prefix;
  if (typeof target === "string") checkKey(target);
  else if (typeof prefix === "string") checkKey(prefix, "prefix");
  else {
    const message = `watch takes a key, or { prefix } ({ prefix: "" } is everything), not ${describe(target)}`;
    throw new ValidationError(message, { code: "INVALID_OPTION" });
  }
  return target;
}

function lengthOf({ key, value = "" }: RawChange): number {
  return key.length + value.length;
}

function changeOf<T>({ key, value, version }: RawChange): Change<T> {
  if (value === undefined || version === undefined) return { type: "delete", key };
  return { type: "put", key, value: decode(JSON.parse(value)) as T, version };
}
