// testAdapter: what a user's own adapter is checked with.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { adapterCases, type CaseReport, type PersistAdapter, testAdapter } from "holdfast";
import { mapAdapter } from "./conformance/adapters.js";

describe("testAdapter", () => {
  it("reports every case of an adapter that keeps its promises", async () => {
    const heard: CaseReport[] = [];
    const report = await testAdapter(mapAdapter, { onCase: (it) => heard.push(it) });
    assert.deepEqual(
      report.cases.filter(({ outcome }) => outcome === "failed"),
      [],
    );
    assert.deepEqual(heard, report.cases);
    assert.equal(report.passed + report.skipped, report.cases.length);
    assert.ok(report.passed > 80, `${report.passed} cases passed`);
    for (const { outcome, reason } of report.cases) assert.equal(outcome === "skipped", reason !== undefined);
    const names = report.cases.map(({ group, name }) => `${group}: ${name}`);
    assert.equal(new Set(names).size, names.length);
  });

  const shared = new Map<string, unknown>();
  const broken: [what: string, flaw: (good: PersistAdapter) => Partial<PersistAdapter>, failing: string][] = [
    [
      "forgets to delete",
      () => ({ delete: async () => {} }),
      "deleted keys are gone, and deleting what is not there is no error",
    ],
    [
      "lists everything whatever the prefix",
      (good) => ({ list: () => good.list("") }),
      "list gives every key under the prefix, none twice and no other",
    ],
    [
      "folds the case of keys",
      (good) => ({
        get: (key) => good.get(key.toLowerCase()),
        put: (key, value) => good.put(key.toLowerCase(), value),
      }),
      "keys are kept exactly",
    ],
    [
      "hands out its own objects",
      () => ({ get: async (key) => shared.get(key), put: async (key, value) => shared.set(key, value) }),
      "a value that is changed after put, or after get, is not changed in the adapter",
    ],
  ];
  for (const [what, flaw, failing] of broken) {
    it(`fails an adapter that ${what}, in the case that says so`, async () => {
      const make = () => {
        const good = mapAdapter();
        return { ...good, ...flaw(good) };
      };
      const found = (await adapterCases(make)).find(({ name }) => name === failing);
      await assert.rejects(found?.run() ?? Promise.resolve());
    });
  }

  it("fails, and does not stop at, an adapter that can't be made", async () => {
    const report = await testAdapter(() => Promise.reject(new Error("no disk")));
    assert.deepEqual([report.passed, report.failed], [0, report.cases.length]);
    assert.match(String(report.cases[0]?.error), /no disk/);
  });

  it("fails a case that hangs, by name", async () => {
    const make = () => ({ ...mapAdapter(), get: () => new Promise<unknown>(() => {}) });
    const [first] = await adapterCases(make, { timeoutMs: 20 });
    await assert.rejects(first?.run() ?? Promise.resolve(), { code: "CASE_TIMEOUT", message: /methods: get of/ });
  });
});
