import type { native } from "../native.js";
import { AbstractDownIterator, answer, type Bytes, type Callback } from "./abstract-down.js";
import { Cursor, type RangeOptions } from "./cursor.js";

/** Options after abstract-leveldown has completed them. */
export interface ReadyIteratorOptions extends RangeOptions {
  keys: boolean;
  values: boolean;
  limit: number;
  keyAsBuffer: boolean;
  valueAsBuffer: boolean;
}

/** The iterator of an `S3LevelDown`. */
export class S3LevelDownIterator extends AbstractDownIterator {
  readonly #cursor: Cursor;
  readonly #options: ReadyIteratorOptions;
  #left: number;

  constructor(db: object, database: native.LevelDatabase, options: ReadyIteratorOptions) {
    super(db);
    this.#options = options;
    this.#left = options.limit >= 0 ? options.limit : Number.POSITIVE_INFINITY;
    this.#cursor = new Cursor(database, options);
  }

  protected _next(callback: (error: Error | null, key?: Bytes, value?: Bytes) => void): void {
    const { keys, keyAsBuffer, values, valueAsBuffer } = this.#options;
    const entry = this.#left-- > 0 ? this.#cursor.next() : Promise.resolve(undefined);
    answer(entry, (error, found) => {
      if (error || found === undefined) return error ? callback(error) : callback(null);
      const [key, value = Buffer.alloc(0)] = found;
      const shownKey = keyAsBuffer ? key : key.toString();
      const shownValue = valueAsBuffer ? value : value.toString();
      callback(null, keys ? shownKey : undefined, values ? shownValue : undefined);
    });
  }

  protected _seek(target: Buffer): void {
    this.#cursor.seek(target);
  }

  protected _end(callback: Callback): void {
    answer(this.#cursor.close(), callback);
  }
}
