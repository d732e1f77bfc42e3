import { EventEmitter } from "node:events";
import type { KeyvStoreAdapter, StoredData } from "keyv";
import type { KvOwner } from "./kv-owner.js";

/** One of many sets of Keyv. */
interface Item {
  key: string;
  // biome-ignore lint/suspicious/noExplicitAny: Keyv's own interface has it
  value: any;
  ttl?: number;
}

/**
 * Keyv on the kv of a store, whichever adapter the store has:
 * `new Keyv({ store: new KeyvStore(await createStore("app")) })`.
 *
 * Entries lie in `store.kv` under Keyv's own keys (`namespace:key`). `ttl` is in milliseconds, and kept by the store
 * as well as by Keyv. `disconnect()` closes the store.
 */
export class KeyvStore extends EventEmitter implements KeyvStoreAdapter {
  /** Keyv iterates only over dialects that it knows: `sqlite` stands for any that can. */
  readonly opts = { dialect: "sqlite" };
  /** Set by Keyv. */
  namespace?: string | undefined;
  readonly #store: KvOwner;

  constructor(store: KvOwner) {
    super();
    this.#store = store;
  }

  async get<Value>(key: string): Promise<StoredData<Value> | undefined> {
    return (await this.#store.kv.get(key)) as StoredData<Value> | undefined;
  }

  async getMany<Value>(keys: string[]): Promise<StoredData<Value | undefined>[]> {
    return (await this.#store.kv.getMany(keys)) as StoredData<Value | undefined>[];
  }

  async set(key: string, value: unknown, ttl?: number): Promise<boolean> {
    await this.#store.kv.set(key, value, lifetime(ttl));
    return true;
  }

  async setMany(items: Item[]): Promise<void> {
    await this.#store.kv.setMany(items.map(({ key, value, ttl }) => ({ key, value, ...lifetime(ttl) })));
  }

  async delete(key: string): Promise<boolean> {
    return this.#store.kv.delete(key);
  }

  /** Whether any was there. */
  async deleteMany(keys: string[]): Promise<boolean> {
    return (await this.#store.kv.deleteMany(keys)) > 0;
  }

  /** Deletes what is under the namespace; without one, all of `store.kv`. */
  async clear(): Promise<void> {
    await this.#store.kv.deleteMany({ prefix: prefixOf(this.namespace) });
  }

  async has(key: string): Promise<boolean> {
    return this.#store.kv.has(key);
  }

  async hasMany(keys: string[]): Promise<boolean[]> {
    return (await this.#store.kv.getMany(keys)).map((value) => value !== undefined);
  }

  /** Keys and values of a namespace, in bounded memory. */
  async *iterator<Value>(namespace?: string): AsyncGenerator<(string | Awaited<Value> | undefined)[], void> {
    for await (const { key, value } of this.#store.kv.list({ prefix: prefixOf(namespace) })) {
      yield [key, value as Awaited<Value>];
    }
  }

  /** Closes the store. */
  async disconnect(): Promise<void> {
    await this.#store.close();
  }
}

function lifetime(ttl: number | undefined): { ttl?: number } {
  // Keyv says 0 where it means for ever.
  return ttl === undefined || ttl === null || ttl === 0 ? {} : { ttl };
}

function prefixOf(namespace: string | undefined): string {
  return namespace === undefined || namespace === "" ? "" : `${namespace}:`;
}
