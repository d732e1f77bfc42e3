import { ConnectionError } from "../errors.js";
import type { Entries } from "./entries.js";
import type { RawNews } from "./port.js";
import type { RawChange } from "./watches.js";

/** What a watch was last told of a key. */
interface Told {
  version: number;
  isDeleted: boolean;
  /** By whom it was done: what others did is read later, and may be newer than what we hear of ourselves. */
  isOurs: boolean;
}

/** Who is told. */
export interface Reader {
  wants(key: string): boolean;
  push(change: RawChange): void;
  /** Nothing can be told any more. */
  fail(error: unknown): void;
}

const KEYS_AT_ONCE = 100;
/** Of how many keys it is remembered what was told. */
const MOST_REMEMBERED = 10_000;
/** How many keys may wait to be read. */
const MOST_WAITING = 10_000;

/**
 * Joins what other processes change to what this store tells: news name keys, each is read for its newest state,
 * and nothing is told twice or after something newer.
 */
export class OthersChanges {
  readonly #entries: Entries;
  readonly #reader: Reader;
  readonly #told = new Map<string, Told>();
  readonly #waiting = new Set<string>();
  readonly #hearing: { begun: Promise<void>; stop: () => void };
  #isReading = false;

  constructor(entries: Entries, reader: Reader) {
    this.#entries = entries;
    this.#reader = reader;
    this.#hearing = entries.writer.news.hear((news) => this.#hear(news));
    this.#hearing.begun.catch((error) => reader.fail(error));
  }

  /** Whether a change of this store is still news; remembers it. */
  isNews({ key, version }: RawChange): boolean {
    const told = this.#told.get(key);
    if (version !== undefined) {
      if (told !== undefined && version <= told.version) return false;
      this.#remember(key, { version, isDeleted: false, isOurs: true });
      return true;
    }
    // A delete of ours may be older than what was read of others: the newest state is looked at again.
    if (told?.isOurs === false) this.#wait([key]);
    this.#remember(key, { version: told?.version ?? 0, isDeleted: true, isOurs: true });
    return true;
  }

  /** Hears no more. */
  stop(): void {
    this.#hearing.stop();
    this.#waiting.clear();
  }

  #hear(news: RawNews): void {
    if ("gap" in news) {
      this.#fail("changes of others may have been missed");
      return;
    }
    const keys = news.changed.filter(([space, key]) => space === this.#entries.space && this.#reader.wants(key));
    this.#wait(keys.map(([, key]) => key));
  }

  #wait(keys: readonly string[]): void {
    for (const key of keys) this.#waiting.add(key);
    if (this.#waiting.size > MOST_WAITING) this.#fail("others change more than can be read");
    else if (this.#waiting.size > 0 && !this.#isReading) this.#read();
  }

  #fail(why: string): void {
    this.stop();
    const message = `${why}; list again, and watch anew`;
    this.#reader.fail(new ConnectionError(message, { code: "WATCH_INTERRUPTED", retryable: true }));
  }

  async #read(): Promise<void> {
    this.#isReading = true;
    try {
      while (this.#waiting.size > 0) {
        const keys = [...this.#waiting].slice(0, KEYS_AT_ONCE);
        for (const key of keys) this.#waiting.delete(key);
        const before = keys.map((key) => this.#told.get(key));
        const found = await this.#entries.writer.port.entries(this.#entries.space, keys);
        for (const [at, key] of keys.entries()) {
          // Something was told meanwhile: what was read may be older than that.
          if (this.#told.get(key) !== before[at]) this.#waiting.add(key);
          else this.#tell(key, before[at], found[at] ?? undefined);
        }
      }
    } catch (error) {
      this.stop();
      this.#reader.fail(error);
    } finally {
      this.#isReading = false;
    }
  }

  #tell(key: string, told: Told | undefined, entry: { version: number; value?: unknown } | undefined): void {
    if (entry === undefined) {
      if (told?.isDeleted === true) return;
      this.#remember(key, { version: told?.version ?? 0, isDeleted: true, isOurs: false });
      this.#reader.push({ key });
    } else if (told === undefined || entry.version > told.version) {
      const { version, value } = entry;
      this.#remember(key, { version, isDeleted: false, isOurs: false });
      this.#reader.push({ key, value: JSON.stringify(value), version });
    }
  }

  #remember(key: string, told: Told): void {
    this.#told.delete(key);
    this.#told.set(key, told);
    if (this.#told.size <= MOST_REMEMBERED) return;
    const [oldest] = this.#told.keys();
    if (oldest !== undefined) this.#told.delete(oldest);
  }
}
