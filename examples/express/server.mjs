// Remult on Express, on SQLite that survives losing its disk.
//   npm install && S3_BUCKET=my-bucket DATABASE_NAME=my-database npm start
// Without S3_BUCKET a server of this process stands in for S3, so that it runs as it is.
import express from "express";
import { createS3DataProvider, SmartStorage } from "holdfast";
import { describeEntity, Fields } from "remult";
import { remultApi } from "remult/remult-express";

class Task {
  id = 0;
  title = "";
  done = false;
}
describeEntity(
  Task,
  "tasks",
  { id: Fields.autoIncrement(), title: Fields.string(), done: Fields.boolean() },
  { allowApiCrud: true },
);

/** Where the database is replicated to. */
async function place() {
  const databaseName = process.env.DATABASE_NAME ?? "my-database";
  if (process.env.S3_BUCKET) return { bucket: process.env.S3_BUCKET, databaseName, endpoint: process.env.S3_ENDPOINT };
  const storage = await SmartStorage.createAndStart({
    server: { port: 0, address: "127.0.0.1", silent: true },
    storage: { directory: "./buckets" },
    buckets: ["my-bucket"],
  });
  const { endpoint, port, accessKey, accessSecret } = await storage.getStorageDescriptor();
  const credentials = { accessKeyId: accessKey, secretAccessKey: accessSecret };
  return {
    bucket: "my-bucket",
    databaseName,
    endpoint: `http://${endpoint}:${port}`,
    forcePathStyle: true,
    credentials,
  };
}

const api = remultApi({
  dataProvider: createS3DataProvider({ file: "./mydb.sqlite", s3: await place(), verbose: true }),
  entities: [Task],
});

const app = express();
app.use(api);
const server = app.listen(Number(process.env.PORT ?? 3000), () => {
  console.log(`tasks: http://localhost:${server.address().port}/api/tasks`);
});
