import { describe, type TestContext, test } from "node:test";
import { type Capabilities, createStore, type Store } from "holdfast";
import type { AdapterUnderTest, Room } from "./adapters.js";

/** What a case gets: a fresh store, and a way to open its data again. */
export interface Subject {
  store: Store;
  /** Closes the store and opens its data again. */
  reopen(): Promise<Store>;
}

/** A case: what it shows, and the capability without which it is skipped. */
export interface Case {
  name: string;
  needs?: keyof Capabilities;
  run(subject: Subject): Promise<void>;
}

const cases: { group: string; case: Case }[] = [];

/** Adds a case to the suite. */
export function define(group: string, name: string, run: Case["run"], needs?: keyof Capabilities): void {
  cases.push({ group, case: needs === undefined ? { name, run } : { name, run, needs } });
}

/** Runs every case on an adapter, one named test a case. */
export function runSuite(adapter: AdapterUnderTest): void {
  for (const group of new Set(cases.map((entry) => entry.group))) {
    describe(`${adapter.name}: ${group}`, () => {
      for (const entry of cases.filter((it) => it.group === group)) {
        test(entry.case.name, (context) => runCase(adapter, entry.case, context));
      }
    });
  }
}

async function runCase(adapter: AdapterUnderTest, it: Case, context: TestContext): Promise<void> {
  const room: Room = await adapter.prepare();
  let store = await createStore("conformance", room.options);
  try {
    if (it.needs !== undefined && !store.capabilities[it.needs]) {
      context.skip(`${adapter.name} declares that it is not ${it.needs}`);
      return;
    }
    const reopen = async () => {
      await store.close();
      store = await createStore("conformance", room.options);
      return store;
    };
    await it.run({ store, reopen });
  } finally {
    await store.close();
    await room.clear();
  }
}
