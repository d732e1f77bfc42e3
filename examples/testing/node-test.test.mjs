// Run with: node --test examples/testing/node-test.test.mjs
import assert from "node:assert/strict";
import { test } from "node:test";
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { useStorage } from "holdfast/node-test";

let client;
const storage = useStorage({ buckets: ["assets"] }, async (storage) => {
  const { endpoint, port, accessKey, accessSecret } = await storage.getStorageDescriptor();
  client = new S3Client({
    endpoint: `http://${endpoint}:${port}`,
    region: "us-east-1",
    credentials: { accessKeyId: accessKey, secretAccessKey: accessSecret },
    forcePathStyle: true,
    maxAttempts: 1,
  });
  await client.send(new PutObjectCommand({ Bucket: "assets", Key: "prepared", Body: "for every test" }));
});

test("begins with what was prepared, and may change everything", async () => {
  await client.send(new PutObjectCommand({ Bucket: "assets", Key: "prepared", Body: "changed" }));
  await client.send(new PutObjectCommand({ Bucket: "assets", Key: "more", Body: "x" }));
  assert.equal(storage.requests.length, 2);
});

test("begins with what was prepared again", async () => {
  const { Contents } = await client.send(new ListObjectsV2Command({ Bucket: "assets" }));
  assert.deepEqual(
    Contents.map(({ Key }) => Key),
    ["prepared"],
  );
  const { Body } = await client.send(new GetObjectCommand({ Bucket: "assets", Key: "prepared" }));
  assert.equal(await Body.transformToString(), "for every test");
});

test("sees how the code fares when the storage fails", async () => {
  storage.faults.add({ operation: "GetObject", error: "SlowDown" });
  const get = client.send(new GetObjectCommand({ Bucket: "assets", Key: "prepared" }));
  await assert.rejects(get, { name: "SlowDown" });
});
