// Ends the process with exit code 7 while calls of one door are under way.
const { mkdtempSync } = require("node:fs");
const { join } = require("node:path");
const { createStore, SmartStorage } = require("holdfast");
const { S3Level } = require("holdfast/level");

const folder = mkdtempSync(join(process.cwd(), "exit-"));
const directory = join(folder, "buckets");
const start = () =>
  SmartStorage.createAndStart({ server: { port: 0, silent: true }, storage: { directory }, buckets: ["assets"] });

const begin = {
  async store() {
    const store = await createStore({ name: "shop", adapter: "sqlite", path: join(folder, "shop.db") });
    return (number) => store.records.put(`key/${number}`, { number });
  },
  async storage() {
    const storage = await start();
    const { endpoint, port } = await storage.getStorageDescriptor();
    return (number) => fetch(`http://${endpoint}:${port}/assets/${number}`).then((response) => response.text());
  },
  async level() {
    const storage = await start();
    const {
      endpoint,
      port,
      accessKey: accessKeyId,
      accessSecret: secretAccessKey,
    } = await storage.getStorageDescriptor();
    const db = new S3Level("assets/level", {
      endpoint: `http://${endpoint}:${port}`,
      credentials: { accessKeyId, secretAccessKey },
    });
    return (number) => db.put(`key/${number}`, "value");
  },
};

begin[process.argv[2]]().then(async (call) => {
  await call(0);
  const calls = Array.from({ length: 200 }, (_, number) => call(number + 1));
  await Promise.race(calls);
  process.exit(7);
});
