// Remult on SQLite that survives losing its disk: rows in, the local file away, the same rows again.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createS3DataProvider, SmartStorage } from "holdfast";
import { describeEntity, Fields, Remult } from "remult";

const folder = mkdtempSync(join(tmpdir(), "remult-example-"));
// In production: AWS, R2, MinIO. Here: a server in this process.
const storage = await SmartStorage.createAndStart({
  server: { port: 0, address: "127.0.0.1", silent: true },
  storage: { directory: join(folder, "buckets") },
  buckets: ["my-bucket"],
});
const { endpoint, port, accessKey, accessSecret } = await storage.getStorageDescriptor();

class Task {
  id = 0;
  title = "";
  done = false;
}
describeEntity(Task, "tasks", { id: Fields.autoIncrement(), title: Fields.string(), done: Fields.boolean() });

/** What `remultApi({ dataProvider })` takes. */
const dataProvider = () =>
  createS3DataProvider({
    file: join(folder, "local", "mydb.sqlite"),
    s3: {
      bucket: "my-bucket",
      databaseName: "my-database",
      endpoint: `http://${endpoint}:${port}`,
      forcePathStyle: true,
      credentials: { accessKeyId: accessKey, secretAccessKey: accessSecret },
    },
    sync: { mode: "sync" },
    onEvent: (event) => event.type === "recovery_completed" && console.log(`restored, ${event.segments} segments`),
  });

const database = await dataProvider()();
const tasks = new Remult(database).repo(Task);
await database.ensureSchema([tasks.metadata]);
await tasks.insert([{ title: "Write it down" }, { title: "Lose the disk" }]);
await tasks.update(1, { done: true });
console.log(database.status());
await database.close();

rmSync(join(folder, "local"), { recursive: true });

const again = await dataProvider()();
for (const { id, title, done } of await new Remult(again).repo(Task).find()) console.log(id, title, done);
await again.close();
await storage.stop();
rmSync(folder, { recursive: true });
