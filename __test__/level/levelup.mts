// levelup as these tests use it, and its streams; it ships no types.
import { createRequire } from "node:module";
import type { Readable } from "node:stream";

/** Writes that are gathered one by one. */
export interface Batch {
  put(key: string, value: string): Batch;
  write(done?: () => void): Promise<void>;
}

export type Write = { type: "put"; key: unknown; value: unknown } | { type: "del"; key: unknown };

/** What is used of levelup. */
export interface Levelup {
  put(key: unknown, value: unknown): Promise<void>;
  get(key: unknown, options?: object): Promise<Buffer>;
  getMany(keys: unknown[], options?: object): Promise<(string | undefined)[]>;
  batch(): Batch;
  batch(writes: Write[]): Promise<void>;
  createReadStream(options?: object): Readable;
  clear(): Promise<void>;
  close(): Promise<void>;
}

/** A database of abstract-leveldown under levelup. */
export const levelup = createRequire(import.meta.url)("levelup") as (db: object) => Levelup;

/** All that a stream gives. */
export async function collected<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const one of stream) all.push(one);
  return all;
}
