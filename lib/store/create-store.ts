import { ConfigError } from "../errors.js";
import { CustomPort } from "./custom-port.js";
import { describe } from "./key.js";
import type { StoreOptions } from "./options.js";
import { NativePort, type Port } from "./port.js";
import { CLASSES, type ClassName, type Resolved, resolve } from "./settings.js";
import { Store } from "./store.js";

/**
 * Opens a store. With a name alone it is a SQLite file at `./data/<name>.db`.
 * @throws ConfigError for settings that are unknown, missing or contradict each other; CapabilityError for an
 * adapter that this release does not have; IntegrityError for a file that is foreign, corrupt or newer
 */
export async function createStore(name: string, options?: StoreOptions): Promise<Store>;
export async function createStore(options: StoreOptions & { name: string }): Promise<Store>;
export async function createStore(
  target: string | (StoreOptions & { name: string }),
  options: StoreOptions = {},
): Promise<Store> {
  if (typeof target === "string") return openStore(target, options);
  if (typeof target !== "object" || target === null) {
    throw new ConfigError(`createStore takes a name or options, not ${describe(target)}`, { code: "INVALID_NAME" });
  }
  const { name, ...rest } = target;
  return openStore(name, rest);
}

async function openStore(name: string, options: StoreOptions): Promise<Store> {
  const resolved = resolve(name, options);
  const opened = new Map<string | object, Port>();
  const ports: Partial<Record<ClassName, Port>> = {};
  try {
    for (const className of CLASSES) {
      const adapter = resolved[className];
      // Classes with the same settings share one adapter, and with it transactions.
      const identity = "custom" in adapter ? adapter.custom : JSON.stringify(adapter.native);
      const port = opened.get(identity) ?? (await openPort(adapter));
      opened.set(identity, port);
      ports[className] = port;
    }
  } catch (error) {
    await Promise.allSettled([...opened.values()].map((port) => port.close()));
    throw error;
  }
  return new Store(name, ports as Record<ClassName, Port>);
}

async function openPort(adapter: Resolved): Promise<Port> {
  if ("custom" in adapter) return new CustomPort(adapter.custom);
  return NativePort.open(adapter.native);
}
