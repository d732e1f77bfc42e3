import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Change, PersistError, Store, StoreOptions } from "holdfast";

const run = promisify(execFile);

/** Runs a module in a process of its own, with `options` at hand; gives back what it printed. */
export async function script(code: string, options: StoreOptions): Promise<string> {
  const head = `import { createStore } from "holdfast"; const options = ${JSON.stringify(options)};`;
  const { stdout } = await run(process.execPath, ["--input-type=module", "-e", head + code], { cwd: process.cwd() });
  return stdout;
}

/** Waits until something is so. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 10));
}

/** The code that work fails with. Its message must not show the secret. */
export async function code(work: Promise<unknown>, secret = "it is a secret"): Promise<string> {
  return work.then(
    () => "none",
    (error: PersistError) => {
      assert.ok(!error.message.includes(secret), error.message);
      return error.code;
    },
  );
}

/** What a store hears: changes of kv under a prefix, and payloads by a live reader and by a subscription. */
export class Hearing {
  readonly changes: Change<unknown>[] = [];
  readonly read: unknown[] = [];
  readonly handled: unknown[] = [];
  readonly #stop = new AbortController();
  readonly #running: Promise<unknown>[] = [];

  /** Begins to listen. */
  static async on(store: Store, prefix: string): Promise<Hearing> {
    const hearing = new Hearing();
    const { signal } = hearing.#stop;
    const watch = store.kv.watch({ prefix }, { signal });
    hearing.#running.push(
      (async () => {
        for await (const change of watch) hearing.changes.push(change);
      })(),
      (async () => {
        for await (const { payload } of store.events.read({ live: true, signal })) hearing.read.push(payload);
      })(),
    );
    await store.events.subscribe({ name: "mailer" }, ({ payload }) => hearing.handled.push(payload));
    return hearing;
  }

  /** Ends the watch and the reader. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#running);
  }
}
