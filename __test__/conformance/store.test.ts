// Every adapter keeps every promise: one named test a case and adapter.
import { describe, test } from "node:test";
import { adapterCases } from "holdfast";
import { ADAPTERS } from "./adapters.js";

for (const adapter of ADAPTERS) {
  describe(adapter.name, async () => {
    const cases = await adapterCases(() => adapter.prepare());
    for (const group of new Set(cases.map((it) => it.group))) {
      describe(`${adapter.name}: ${group}`, () => {
        for (const { name, run } of cases.filter((it) => it.group === group)) {
          test(name, async (context) => {
            const reason = await run();
            if (reason !== undefined) context.skip(`${adapter.name}: ${reason}`);
          });
        }
      });
    }
  });
}
