// Random sequences of calls, on every adapter, beside an oracle of plain maps. A failure is shrunk to the shortest
// sequence that still fails; HOLDFAST_SEED and HOLDFAST_PATH, which it prints, run that one again. The same sequences
// each time, unless HOLDFAST_SEED says another number, or random.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { createStore, type Store } from "holdfast";
import { ADAPTERS, type AdapterUnderTest } from "../conformance/adapters.js";
import { type Operation, operation } from "./operations.js";
import { Oracle } from "./oracle.js";
import { perform } from "./performer.js";

const { HOLDFAST_SEED, HOLDFAST_PATH, HOLDFAST_RUNS } = process.env;

/** How to run a property: each adapter some sequences, or the one that the environment names. */
const parameters = (runs: number): fc.Parameters<unknown> => ({
  numRuns: HOLDFAST_RUNS === undefined ? runs : Number(HOLDFAST_RUNS),
  seed: HOLDFAST_SEED === "random" ? Date.now() | 0 : Number(HOLDFAST_SEED ?? 1),
  ...(HOLDFAST_PATH === undefined ? {} : { path: HOLDFAST_PATH }),
  endOnFailure: false,
});

/** Does the calls one after the other and compares each answer. */
async function follow(open: () => Promise<Store>, operations: Operation[], own: string): Promise<void> {
  let store = await open();
  const oracle = new Oracle();
  try {
    for (const operation of operations) {
      if (operation.call === "reopen") {
        if (!store.capabilities.durable) continue;
        await store.close();
        store = await open();
        continue;
      }
      // The oracle answers last: conditions are made of what it holds before.
      const actual = await perform(store, operation, oracle, own);
      assert.deepEqual(actual, oracle.answer(operation, store.capabilities.atomic), operation.call);
    }
  } finally {
    await store.close();
  }
}

async function inRoom(adapter: AdapterUnderTest, work: (open: () => Promise<Store>) => Promise<void>): Promise<void> {
  const room = await adapter.prepare();
  try {
    await work(() => createStore("model", room.options));
  } finally {
    await room.clear();
  }
}

for (const adapter of ADAPTERS) {
  describe(`${adapter.name}: beside the oracle`, () => {
    it("a random sequence of calls is answered as the oracle answers it", async () => {
      const sequences = fc.array(operation, { minLength: 1, maxLength: 60, size: "max" });
      const property = fc.asyncProperty(sequences, (operations) =>
        inRoom(adapter, (open) => follow(open, operations, "")),
      );
      await fc.assert(property, parameters(12));
    });

    it("several stores on one place, each with keys of its own, don't disturb each other", async (context) => {
      const room = await adapter.prepare();
      const probe = await createStore("model", room.options);
      const { multiProcess } = probe.capabilities;
      await probe.close();
      await room.clear();
      if (!multiProcess) return context.skip(`${adapter.name}: one store at a time, as its capabilities say`);
      const sequences = fc.array(fc.array(operation, { minLength: 1, maxLength: 30, size: "max" }), {
        minLength: 3,
        maxLength: 3,
        size: "max",
      });
      const property = fc.asyncProperty(sequences, (clients) =>
        inRoom(adapter, async (open) => {
          await Promise.all(clients.map((operations, client) => follow(open, operations, `client ${client}/`)));
          const store = await open();
          await store.close();
        }),
      );
      await fc.assert(property, parameters(4));
    });
  });
}
