// Workers that are terminated while their calls are under way. The process goes on, and a store still works in it.
import { once } from "node:events";
import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { createStore } from "holdfast";

const total = Number(process.argv[2] ?? 20);
const folder = mkdtempSync(join(process.cwd(), "terminated-"));

for (let started = 0; started < total; started += 4) {
  const group = Array.from({ length: 4 }, (_, index) => {
    const workerData = { path: join(folder, `${started + index}.db`) };
    return new Worker(new URL("./busy-worker.mjs", import.meta.url), { workerData });
  });
  await Promise.all(
    group.map(async (worker) => {
      await once(worker, "message");
      await worker.terminate();
    }),
  );
}

const store = await createStore({ name: "after", adapter: "sqlite", path: join(folder, "after.db") });
await store.records.put("key", 1);
await store.close();
console.log(`${total} workers terminated`);
