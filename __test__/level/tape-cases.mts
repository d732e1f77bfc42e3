// Runs suites that were written for tape as cases of node:test: one named case each, with tape's own assertions.
import { createRequire } from "node:module";
import { test } from "node:test";

/** What a result of tape says, as far as it is read here. */
interface Row {
  type: string;
  ok?: boolean;
  name?: string;
  error?: unknown;
}
type Run = (t: unknown) => unknown;
type Harness = {
  (name: string, options: object, run: Run): void;
  createStream(options: object): NodeJS.ReadableStream;
};

const tape = createRequire(import.meta.url)("tape") as { createHarness(): Harness };

/** Gives back tape's `test(name, [options], run)`; `skip` names the reason why a case can't run, if there is one. */
export function tapeCases(prefix: string, skip: (name: string) => string | undefined) {
  return function tapeCase(name: string, second: object | Run, third?: Run): void {
    const [options, run] = typeof second === "function" ? [{}, second as Run] : [second, third!];
    test(`${prefix}: ${name}`, { skip: skip(name) ?? false }, () => runCase(name, options, run));
  };
}

function runCase(name: string, options: object, run: Run): Promise<void> {
  const harness = tape.createHarness();
  const rows: Row[] = [];
  const done = new Promise<void>((resolve, reject) => {
    const results = harness.createStream({ objectMode: true });
    results.on("data", (row) => rows.push(row as unknown as Row));
    results.on("error", reject);
    results.on("end", resolve);
  });
  harness(name, options, run);
  return done.then(() => {
    const failed = rows.filter((row) => row.type === "assert" && row.ok !== true);
    if (failed.length > 0)
      throw new AggregateError(
        failed.map((row) => row.error ?? row.name),
        failed.map((row) => row.name).join("; "),
      );
  });
}
