import type { Driver } from "unstorage";
import type { KvOwner } from "./kv-owner.js";

/** Options of a call of unstorage that this driver knows. */
interface ItemOptions {
  /** How long the item lives, in seconds, as other drivers have it. */
  ttl?: number;
}

/**
 * A driver of unstorage on the kv of a store, whichever adapter the store has:
 * `createStorage({ driver: unstorageDriver(await createStore("app")) })`.
 *
 * Items lie in `store.kv` under unstorage's own keys (`a:b`), raw ones as bytes. `storage.watch()` hears what
 * `store.kv.watch` shows. `dispose()` closes the store.
 */
export function unstorageDriver<S extends KvOwner>(store: S): Driver<undefined, S> {
  const { kv } = store;
  return {
    name: "holdfast",
    getInstance: () => store,
    hasItem: (key) => kv.has(key),
    getItem: async (key) => ((await kv.get(key)) ?? null) as string | null,
    getItems: async (items) => {
      const keys = items.map(({ key }) => key);
      const values = await kv.getMany(keys);
      return keys.map((key, at) => ({ key, value: (values[at] ?? null) as string | null }));
    },
    getItemRaw: async (key) => (await kv.get(key)) ?? null,
    setItem: (key, value, options: ItemOptions) => kv.set(key, value, lifetime(options)),
    setItems: (items) => kv.setMany(items.map(({ key, value, options }) => ({ key, value, ...lifetime(options) }))),
    setItemRaw: (key, value, options: ItemOptions) => kv.set(key, value, lifetime(options)),
    removeItem: async (key) => {
      await kv.delete(key);
    },
    // unstorage leaves the base out where it means everything, though its types don't say so.
    getKeys: async (base?: string) => kv.keys({ prefix: base ?? "" }),
    clear: async (base?: string) => {
      await kv.deleteMany({ prefix: base ?? "" });
    },
    dispose: () => store.close(),
    watch: (callback) => {
      const stop = new AbortController();
      const watch = kv.watch({ prefix: "" }, { signal: stop.signal });
      const hear = async () => {
        for await (const { type, key } of watch) callback(type === "put" ? "update" : "remove", key);
      };
      // A watch that fell behind ends: whoever needs every change watches the store itself.
      hear().catch(() => {});
      return () => stop.abort();
    },
  };
}

function lifetime(options: ItemOptions | undefined): { ttl?: number } {
  return options?.ttl === undefined || options.ttl <= 0 ? {} : { ttl: options.ttl * 1000 };
}
