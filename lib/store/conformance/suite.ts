import type { PersistAdapter } from "../options.js";
import type { Capabilities } from "../port.js";
import type { Store } from "../store.js";

/** What a case gets: a fresh store, and a way to open its data again. */
export interface Subject {
  store: Store;
  /** Closes the store and opens its data again. */
  reopen(): Promise<Store>;
}

/** A case: what it shows, and what it needs so as not to be skipped. */
export type Case = { group: string; name: string } & (
  | { needs?: keyof Capabilities; run(subject: Subject): Promise<void> }
  | { direct(adapter: PersistAdapter): Promise<void> }
);

/** Every case, in the order of definition. */
export const cases: Case[] = [];

/** Adds a case to the suite. */
export function define(
  group: string,
  name: string,
  run: (subject: Subject) => Promise<void>,
  needs?: keyof Capabilities,
): void {
  cases.push(needs === undefined ? { group, name, run } : { group, name, run, needs });
}

/** Adds a case that calls the four methods themselves. */
export function defineDirect(group: string, name: string, direct: (adapter: PersistAdapter) => Promise<void>): void {
  cases.push({ group, name, direct });
}
