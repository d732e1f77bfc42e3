// A worker that says when its calls are under way, and never stops.
import { parentPort, workerData } from "node:worker_threads";
import { createStore, SmartStorage } from "holdfast";

const store = await createStore({ name: "busy", adapter: "sqlite", path: workerData.path });
const storage = await SmartStorage.createAndStart({
  server: { port: 0, silent: true },
  storage: { inMemory: true, directory: `${workerData.path}.buckets` },
});
const { endpoint, port } = await storage.getStorageDescriptor();
for (let number = 0; ; number += 1) {
  const calls = Array.from({ length: 50 }, (_, index) => store.records.put(`key/${index}`, { number }));
  calls.push(fetch(`http://${endpoint}:${port}/`).then((response) => response.text()));
  if (number === 1) parentPort.postMessage("under way");
  await Promise.all(calls);
}
