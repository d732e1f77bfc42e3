// An S3 server in this process, for a test: start, ask with the AWS SDK, look at what was asked, make it fail, stop.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { SmartStorage } from "holdfast";

const directory = mkdtempSync(join(tmpdir(), "storage-example-"));
const storage = await SmartStorage.createAndStart({
  server: { port: 0, silent: true },
  storage: { directory },
  buckets: ["assets"],
});
const { endpoint, port, accessKey, accessSecret } = await storage.getStorageDescriptor();
const client = new S3Client({
  endpoint: `http://${endpoint}:${port}`,
  region: "us-east-1",
  credentials: { accessKeyId: accessKey, secretAccessKey: accessSecret },
  forcePathStyle: true,
});

await client.send(new PutObjectCommand({ Bucket: "assets", Key: "hello.txt", Body: "Hello, Storage!" }));
const { Body } = await client.send(new GetObjectCommand({ Bucket: "assets", Key: "hello.txt" }));
console.log(await Body.transformToString());

// The SDK tries again by itself: the first answer is a refusal, the second is the object.
storage.requests.clear();
storage.faults.add({ operation: "GetObject", error: "SlowDown", count: 1 });
await client.send(new GetObjectCommand({ Bucket: "assets", Key: "hello.txt" }));
for (const { operation, key, status } of storage.requests) console.log(operation, key, status);

client.destroy();
await storage.stop();
rmSync(directory, { recursive: true });
