// createStore: records, kv, blobs and events, first in a SQLite file, then in a bucket, by the same code.
import { createStore, SmartStorage } from "holdfast";

/** What an application does with its store, wherever the store lives. */
async function placeAnOrder(store) {
  const off = store.on("record:*", (event, type) => console.log(`  heard ${type} of ${event.key}`));

  // Records are versioned: a change on an outdated version is refused.
  const order = await store.records.put("orders/1", { item: "book", at: new Date(), total: 12n });
  await store.records.update("orders/1", (value) => ({ ...value, paid: true }));
  await store.records
    .put("orders/1", { item: "pen" }, { ifVersion: order.version })
    .catch((error) => console.log(`  refused: ${error.code}`));

  // kv: counters, sessions, caches. Times to live are in milliseconds.
  await store.kv.set("session/ada", { cart: ["book"] }, { ttl: 60_000 });
  console.log("  orders so far:", await store.kv.increment("orders"));

  // Blobs: any size, from any source.
  await store.blobs.put("invoices/1.txt", "1 book: 12", { metadata: { order: "1" } });
  const invoice = await store.blobs.get("invoices/1.txt");
  console.log("  invoice:", await invoice.text());

  // Events: facts in order, each stream with versions of its own.
  await store.events.append("orders/1", { type: "placed" });
  await store.events.append("orders/1", { type: "paid" }, { expectedVersion: 1 });
  for await (const event of store.events.read({ stream: "orders/1" })) {
    console.log(`  event ${event.version}:`, event.payload);
  }

  // Lists stream in bounded memory.
  for await (const record of store.records.list({ prefix: "orders/" })) console.log("  record:", record.value);
  off();
}

console.log("in a SQLite file, ./data/shop.db");
const local = await createStore("shop");
await placeAnOrder(local);
// On one adapter, changes can be committed together: all of them or none.
await local.atomic().put("orders/2", { item: "pen" }).set("last", "orders/2").append("orders/2", "placed").commit();
await local.close();

console.log("in a bucket");
const storage = await SmartStorage.createAndStart({
  server: { port: 0, address: "127.0.0.1", silent: true },
  storage: { directory: "./buckets" },
  buckets: ["shop"],
});
const { endpoint, port, accessKey, accessSecret } = await storage.getStorageDescriptor();
const remote = await createStore({
  name: "shop",
  adapter: "s3",
  bucket: "shop",
  endpoint: `http://${endpoint}:${port}`,
  credentials: { accessKeyId: accessKey, secretAccessKey: accessSecret },
});
await placeAnOrder(remote);
const url = await remote.blobs.presign("invoices/1.txt", { expiresIn: 60 });
console.log("  by a presigned URL:", await (await fetch(url)).text());
await remote.close();
await storage.stop();
