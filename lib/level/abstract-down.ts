/// <reference path="./abstract-leveldown.d.ts" />
import * as down from "abstract-leveldown";
import type { RangeOptions } from "./cursor.js";

/** A Node callback. */
export type Callback<T = void> = (error?: Error | null, value?: T) => void;

/** A callback as the typings of abstract-leveldown write it, which know no `null`; it is given one all the same. */
export type DownCallback<T = void> = (error: Error | undefined, value: T) => void;

/** Text or bytes. */
export type Bytes = string | Uint8Array;

/** A range as users of abstract-leveldown write it. */
export interface DownRange extends Omit<RangeOptions, "gt" | "gte" | "lt" | "lte"> {
  gt?: Bytes | undefined;
  gte?: Bytes | undefined;
  lt?: Bytes | undefined;
  lte?: Bytes | undefined;
}

/** What an iterator gives beside a range. */
export interface DownIteratorOptions extends DownRange {
  /** Default true. */
  keys?: boolean | undefined;
  /** Keys as buffers rather than text. Default true. */
  keyAsBuffer?: boolean | undefined;
  /** Values as buffers rather than text. Default true. */
  valueAsBuffer?: boolean | undefined;
}

/** One write of a batch. */
export type DownWrite = { type: "put"; key: Bytes; value: unknown } | { type: "del"; key: Bytes };

/** Nothing; the typings of abstract-leveldown say a chained batch, and levelup takes only what fits them. */
// biome-ignore lint/suspicious/noExplicitAny: nothing else fits both.
type Unsaid = any;

/** Writes gathered one by one. */
export interface DownChainedBatch {
  put(key: Bytes, value: unknown): this;
  del(key: Bytes): this;
  clear(): this;
  write(options: object, callback: DownCallback): void;
  write(callback: DownCallback): void;
}

/** The public side of an iterator of abstract-leveldown. */
export interface DownIterator {
  readonly db: Down;
  next(callback: (error: Error | undefined, key: Bytes, value: Bytes) => void): this;
  next(): Promise<[key: Bytes, value: Bytes] | undefined>;
  seek(target: Bytes): void;
  end(callback: DownCallback): void;
  end(): Promise<void>;
  [Symbol.asyncIterator](): AsyncIterator<[key: Bytes, value: Bytes]>;
}

/** The public side of a database of abstract-leveldown. */
export interface Down {
  readonly status: "new" | "opening" | "open" | "closing" | "closed";
  readonly supports: object;
  isOperational(): boolean;
  open(options: object, callback: DownCallback): void;
  open(callback: DownCallback): void;
  close(callback: DownCallback): void;
  get(key: Bytes, options: { asBuffer?: boolean }, callback: DownCallback<Bytes>): void;
  get(key: Bytes, callback: DownCallback<Bytes>): void;
  getMany(keys: Bytes[], options: { asBuffer?: boolean }, callback: DownCallback<(Bytes | undefined)[]>): void;
  getMany(keys: Bytes[], callback: DownCallback<(Bytes | undefined)[]>): void;
  put(key: Bytes, value: unknown, options: object, callback: DownCallback): void;
  put(key: Bytes, value: unknown, callback: DownCallback): void;
  del(key: Bytes, options: object, callback: DownCallback): void;
  del(key: Bytes, callback: DownCallback): void;
  batch(writes: readonly DownWrite[], options: object, callback: DownCallback): Unsaid;
  batch(writes: readonly DownWrite[], callback: DownCallback): Unsaid;
  batch(): DownChainedBatch;
  clear(options: DownRange, callback: DownCallback): void;
  clear(callback: DownCallback): void;
  iterator(options?: DownIteratorOptions): DownIterator;
}

/** The base class of databases. */
export const AbstractDown = down.AbstractLevelDOWN as new (manifest: object) => Down;

/** The base class of iterators. */
export const AbstractDownIterator = down.AbstractIterator as new (db: object) => DownIterator;

/** Answers a callback with what a promise becomes; an error that the callback throws is thrown on. */
export function answer<T>(promise: Promise<T>, callback: (error: Error | null, value?: T) => void): void {
  promise.then(
    (value) => process.nextTick(callback, null, value),
    (error: Error) => process.nextTick(callback, error),
  );
}
