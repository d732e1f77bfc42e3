import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { StoreOptions } from "holdfast";

/** An adapter under test: how to open a store on it, again and again on the same data. */
export interface AdapterUnderTest {
  name: string;
  /** Makes room for one store. */
  prepare(): Promise<Room>;
}

/** Room for one store. */
export interface Room {
  /** Options that open the same data each time. */
  options: StoreOptions;
  /** Throws the data away. */
  clear(): Promise<void>;
}

/** Every adapter that the suite runs on. */
export const ADAPTERS: readonly AdapterUnderTest[] = [
  {
    name: "memory",
    prepare: async () => ({ options: { adapter: "memory" }, clear: async () => {} }),
  },
  {
    name: "sqlite",
    prepare: async () => {
      const folder = await mkdtemp(join(tmpdir(), "holdfast-"));
      return {
        options: { adapter: "sqlite", path: join(folder, "store.db") },
        clear: () => rm(folder, { recursive: true, force: true }),
      };
    },
  },
];
