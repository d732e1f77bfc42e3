import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { type IStorageEvent, SmartStorage, ValidationError } from "holdfast";
import { clientOf } from "./storage-client.js";

const Bucket = "events";

describe("SmartStorage's events", () => {
  let storage: SmartStorage;
  let client: S3Client;
  const put = (Key: string, Body = "x") => client.send(new PutObjectCommand({ Bucket, Key, Body }));
  const brief = ({ type, operation, key }: IStorageEvent): string => `${type} ${operation} ${key ?? ""}`.trim();

  before(async () => {
    storage = await SmartStorage.createAndStart({
      server: { port: 0, address: "127.0.0.1", silent: true },
      storage: { inMemory: true },
      buckets: [Bucket],
    });
    client = await clientOf(storage);
  });
  beforeEach(() => storage.reset());
  after(async () => {
    client.destroy();
    await storage.stop();
  });

  it("tell each change by its operation, in order", async () => {
    const seen: string[] = [];
    const stop = storage.on("*", (event) => seen.push(brief(event)));
    await storage.createBucket("more");
    await put("a");
    await client.send(new CopyObjectCommand({ Bucket, Key: "b", CopySource: `${Bucket}/a` }));
    const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key: "c" }));
    const { ETag } = await client.send(new UploadPartCommand({ Bucket, Key: "c", UploadId, PartNumber: 1, Body: "p" }));
    const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
    await client.send(new CompleteMultipartUploadCommand({ Bucket, Key: "c", UploadId, MultipartUpload }));
    await client.send(new DeleteObjectCommand({ Bucket, Key: "a" }));
    await client.send(new DeleteObjectCommand({ Bucket, Key: "nothing" }));
    await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key: "b" }, { Key: "c" }] } }));
    await storage.settled();
    assert.deepEqual(seen, [
      "bucket:created CreateBucket",
      "object:created Put a",
      "object:created Copy b",
      "object:created CompleteMultipartUpload c",
      "object:removed Delete a",
      "object:removed Delete b",
      "object:removed Delete c",
    ]);
    stop();
    await put("unheard");
    await storage.settled();
    assert.equal(seen.length, 7);
  });

  it("say what an object is, and which version of it", async () => {
    const VersioningConfiguration = { Status: "Enabled" } as const;
    await client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration }));
    const events: IStorageEvent[] = [];
    const stop = storage.on("object:*", (event) => events.push(event));
    const made = await put("a", "four");
    const removed = await client.send(new DeleteObjectCommand({ Bucket, Key: "a" }));
    await client.send(new DeleteObjectCommand({ Bucket, Key: "a", VersionId: made.VersionId }));
    await storage.settled();
    stop();
    const [created, marker, gone] = events;
    assert.deepEqual(
      [created?.bucket, created?.key, created?.size, `"${created?.etag}"`, created?.versionId, created?.missed],
      [Bucket, "a", 4, made.ETag, made.VersionId, 0],
    );
    assert.ok(Math.abs((created?.atMs ?? 0) - Date.now()) < 60_000);
    assert.deepEqual([marker?.operation, marker?.versionId], ["DeleteMarkerCreated", removed.VersionId]);
    assert.deepEqual([gone?.operation, gone?.versionId], ["Delete", made.VersionId]);
  });

  it("come only for what was asked for", async () => {
    const heard: Record<string, string[]> = { "object:created": [], "object:removed": [], "bucket:*": [] };
    const stops = (["object:created", "object:removed", "bucket:*"] as const).map((type) =>
      storage.on(type, (event) => heard[type]?.push(brief(event))),
    );
    await storage.createBucket("one-more");
    await put("a");
    await client.send(new DeleteObjectCommand({ Bucket, Key: "a" }));
    await storage.settled();
    for (const stop of stops) stop();
    assert.deepEqual(heard, {
      "object:created": ["object:created Put a"],
      "object:removed": ["object:removed Delete a"],
      "bucket:*": ["bucket:created CreateBucket"],
    });
    assert.throws(() => storage.on("object:changed" as never, () => {}), ValidationError);
    assert.throws(() => storage.on("*", undefined as never), ValidationError);
  });

  it("tell nothing of what was refused", async () => {
    const seen: string[] = [];
    const stop = storage.on("*", (event) => seen.push(brief(event)));
    await put("a");
    const again = client.send(new PutObjectCommand({ Bucket, Key: "a", Body: "y", IfNoneMatch: "*" }));
    await assert.rejects(again, { name: "PreconditionFailed" });
    await storage.settled();
    stop();
    assert.deepEqual(seen, ["object:created Put a"]);
  });

  it("wait for a handler that gives back a promise", async () => {
    const log: string[] = [];
    const stop = storage.on("object:created", async ({ key }) => {
      log.push(`begin ${key}`);
      await new Promise((resolve) => setImmediate(resolve));
      log.push(`end ${key}`);
    });
    await Promise.all([put("a"), put("b"), put("c")]);
    await storage.settled();
    stop();
    const keys = log.filter((line) => line.startsWith("begin")).map((line) => line.slice(6));
    assert.deepEqual(
      log,
      keys.flatMap((key) => [`begin ${key}`, `end ${key}`]),
    );
    assert.deepEqual(keys.sort(), ["a", "b", "c"]);
  });

  it("come once to once(), and never again after off()", async () => {
    const next = storage.once("object:created");
    let count = 0;
    const handler = () => {
      count += 1;
    };
    storage.once("object:created", handler);
    storage.on("object:removed", handler);
    storage.off("object:removed", handler);
    await put("a");
    await put("b");
    await client.send(new DeleteObjectCommand({ Bucket, Key: "a" }));
    assert.equal((await next).key, "a");
    await storage.settled();
    assert.equal(count, 1);
  });

  it("can be iterated, from the moment that was asked for", async () => {
    const events = storage.events("object:created");
    for (const key of ["a", "b", "c"]) await put(key);
    const keys: (string | undefined)[] = [];
    for await (const { key } of events) {
      keys.push(key);
      if (keys.length === 3) break;
    }
    assert.deepEqual(keys, ["a", "b", "c"]);
    assert.deepEqual(await events.next(), { value: undefined, done: true });
  });

  it("are heard over a restart", async () => {
    const seen: string[] = [];
    const stop = storage.on("object:created", ({ key }) => seen.push(String(key)));
    await put("before");
    await storage.stop();
    await storage.start();
    const { port } = await storage.getStorageDescriptor();
    const answer = await fetch(`http://127.0.0.1:${port}/${Bucket}/after`, { method: "PUT", body: "x" });
    assert.equal(answer.status, 200);
    await storage.settled();
    stop();
    assert.deepEqual(seen, ["before", "after"]);
  });
});
