import { TimeoutError } from "../errors.js";
import type { Case } from "./conformance/suite.js";
import { createStore } from "./create-store.js";
import type { PersistAdapter, StoreOptions } from "./options.js";

/**
 * Makes an adapter that is empty, anew for each case: the four methods themselves, or `{ options, clear }` with the
 * options of a store on it, and what throws its data away.
 */
export type MakeAdapter = () => Made | Promise<Made>;
type Made = PersistAdapter | { options: StoreOptions; clear?: () => unknown };

/** A case of the suite, ready to be run as a test of any framework. */
export interface AdapterCase {
  /** What it is about: `"records"`, `"events"`, … */
  readonly group: string;
  /** What it shows. Unique in its group. */
  readonly name: string;
  /** Runs it. Gives back why it was skipped, or `undefined`; it is rejected when the case fails. */
  run(): Promise<string | undefined>;
}

/** What became of a case. */
export interface CaseReport {
  readonly group: string;
  readonly name: string;
  readonly outcome: "passed" | "failed" | "skipped";
  /** Why it was skipped. */
  readonly reason?: string;
  /** Why it failed. */
  readonly error?: unknown;
}

/** What became of all. */
export interface AdapterReport {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly cases: readonly CaseReport[];
}

/** How to test. */
export interface TestAdapterOptions {
  /** Hears of each case when it has ended. */
  onCase?: (report: CaseReport) => void;
  /** A case fails after this long, in milliseconds. Default 30,000. */
  timeoutMs?: number;
}

const TIMEOUT_MS = 30_000;

/**
 * The suite that the built-in adapters pass, case by case: `for (const it of await adapterCases(make))
 * test(it.name, it.run)`. Needs no test framework.
 */
export async function adapterCases(
  make: MakeAdapter,
  options: Pick<TestAdapterOptions, "timeoutMs"> = {},
): Promise<AdapterCase[]> {
  // Loaded only by those who test.
  const { cases } = await import("./conformance/cases.js");
  const { timeoutMs = TIMEOUT_MS } = options;
  return cases.map((it) => ({
    group: it.group,
    name: it.name,
    run: () => inTime(runCase(make, it), `${it.group}: ${it.name}`, timeoutMs),
  }));
}

/** Runs the suite that the built-in adapters pass against an adapter of yours, and reports case by case. */
export async function testAdapter(make: MakeAdapter, options: TestAdapterOptions = {}): Promise<AdapterReport> {
  const reports: CaseReport[] = [];
  for (const { group, name, run } of await adapterCases(make, options)) {
    let report: CaseReport;
    try {
      const reason = await run();
      report = reason === undefined ? { group, name, outcome: "passed" } : { group, name, outcome: "skipped", reason };
    } catch (error) {
      report = { group, name, outcome: "failed", error };
    }
    reports.push(report);
    options.onCase?.(report);
  }
  const count = (outcome: CaseReport["outcome"]) => reports.filter((report) => report.outcome === outcome).length;
  return { passed: count("passed"), failed: count("failed"), skipped: count("skipped"), cases: reports };
}

async function runCase(make: MakeAdapter, it: Case): Promise<string | undefined> {
  const made = await make();
  const { options, clear } = "options" in made ? made : { options: { adapter: made } };
  try {
    if ("direct" in it) {
      const { adapter } = options;
      if (typeof adapter !== "object") return "it is no adapter of four methods";
      await it.direct(adapter);
      return undefined;
    }
    let store = await createStore("conformance", options);
    try {
      if (it.needs !== undefined && !store.capabilities[it.needs]) return `it declares that it is not ${it.needs}`;
      const reopen = async () => {
        await store.close();
        store = await createStore("conformance", options);
        return store;
      };
      await it.run({ store, reopen });
    } finally {
      await store.close();
    }
    return undefined;
  } finally {
    await clear?.();
  }
}

/** The work's answer, or a TimeoutError; the timer keeps the process alive meanwhile. */
async function inTime<T>(work: Promise<T>, what: string, timeoutMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const message = `"${what}" took more than ${timeoutMs} ms; it hangs, or give a longer timeoutMs`;
    timer = setTimeout(() => reject(new TimeoutError(message, { code: "CASE_TIMEOUT" })), timeoutMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
