/** What is used of a store here: any store of `createStore` has it. */
export interface KvOwner {
  /** Its kv. */
  readonly kv: {
    get(key: string): Promise<unknown>;
    getMany(keys: readonly string[]): Promise<unknown[]>;
    has(key: string): Promise<boolean>;
    set(key: string, value: unknown, options?: { ttl?: number }): Promise<void>;
    setMany(items: readonly { key: string; value: unknown; ttl?: number }[]): Promise<void>;
    delete(key: string): Promise<boolean>;
    deleteMany(target: readonly string[] | { prefix: string }): Promise<number>;
    list(options: { prefix: string }): AsyncIterable<{ key: string; value: unknown }>;
    keys(options: { prefix: string }): PromiseLike<string[]>;
    watch(target: { prefix: string }, options: { signal: AbortSignal }): AsyncIterable<{ type: string; key: string }>;
  };
  /** Closes it. */
  close(): Promise<void>;
}
