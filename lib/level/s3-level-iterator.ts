import { AbstractIterator } from "abstract-level";
import type { native } from "../native.js";
import { Cursor, type RangeOptions } from "./cursor.js";
import type { Entry } from "./entries.js";
import type { S3Level } from "./s3-level.js";
import type { S3LevelSnapshot } from "./s3-level-snapshot.js";

/** What reads are given beside keys. */
export interface ReadOptions {
  snapshot?: S3LevelSnapshot | undefined;
}

type BaseOptions<K, V> = ConstructorParameters<typeof AbstractIterator<S3Level<K, V>, K, V>>[1];

/** The iterator of an {@link S3Level}: reads pages, and fetches values ahead of the reader. */
export class S3LevelIterator<K, V> extends AbstractIterator<S3Level<K, V>, K, V> {
  readonly #cursor: Cursor;

  constructor(db: S3Level<K, V>, database: native.LevelDatabase, options: ReadOptions & RangeOptions) {
    super(db, options as BaseOptions<K, V>);
    this.#cursor = new Cursor(database, options, options.snapshot?.native);
  }

  protected _next(): Promise<Entry | undefined> {
    return this.#cursor.next();
  }

  protected _nextv(size: number): Promise<Entry[]> {
    return this.#cursor.take(size);
  }

  protected _seek(target: Buffer): void {
    this.#cursor.seek(target);
  }

  protected _close(): Promise<void> {
    return this.#cursor.close();
  }
}
