import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import {
  GetObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import { ClosedError, NotFoundError, SmartStorage, ValidationError } from "holdfast";
import { clientOf } from "./storage-client.js";

const Bucket = "states";

describe("SmartStorage's state as a whole", () => {
  let folder: string;
  let storage: SmartStorage;
  let client: S3Client;

  const put = (Key: string, Body: string) => client.send(new PutObjectCommand({ Bucket, Key, Body }));
  const get = async (Key: string) =>
    (await client.send(new GetObjectCommand({ Bucket, Key }))).Body?.transformToString();
  const keys = async () =>
    ((await client.send(new ListObjectsV2Command({ Bucket }))).Contents ?? []).map((object) => object.Key);

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "holdfast-states-"));
    storage = await SmartStorage.createAndStart({
      server: { port: 0, address: "127.0.0.1", silent: true },
      storage: { directory: folder },
      buckets: [Bucket],
    });
    client = await clientOf(storage);
  });
  after(async () => {
    client.destroy();
    await storage.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it("is empty after reset(), but for the buckets of the configuration", async () => {
    await put("a", "1");
    await storage.createBucket("another");
    await storage.reset();
    const { Buckets } = await client.send(new ListBucketsCommand({}));
    assert.deepEqual(
      Buckets?.map((bucket) => bucket.Name),
      [Bucket],
    );
    assert.deepEqual(await keys(), []);
    assert.ok(storage.requests.length > 0, "the requests of before are still told");
  });

  it("comes back from a snapshot as often as wanted", async () => {
    await put("kept", "as it was");
    const prepared = await storage.snapshot();
    for (let round = 0; round < 3; round += 1) {
      await put("kept", `changed ${round}`);
      await put("more", "x");
      await storage.restore(prepared);
      assert.equal(await get("kept"), "as it was");
      assert.deepEqual(await keys(), ["kept"]);
    }
    await prepared.release();
    await prepared.release();
    await assert.rejects(storage.restore(prepared), { name: "NotFoundError", code: "SNAPSHOT_NOT_FOUND" });
  });

  it("is another after a restart, as far as snapshots go", async () => {
    const before = await storage.snapshot();
    const other = await SmartStorage.createAndStart({
      server: { port: 0, silent: true },
      storage: { directory: join(folder, "other") },
    });
    await assert.rejects(other.restore(before), NotFoundError);
    await other.stop();
    await storage.stop();
    await assert.rejects(storage.reset(), ClosedError);
    await assert.rejects(storage.snapshot(), ClosedError);
    await before.release();
    await storage.start();
    client.destroy();
    client = await clientOf(storage);
    await assert.rejects(storage.restore(before), NotFoundError);
    assert.deepEqual(await keys(), ["kept"]);
  });

  it("refuses to restore what is no snapshot", async () => {
    await assert.rejects(storage.restore({} as never), ValidationError);
  });
});
