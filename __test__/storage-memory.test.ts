import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { DeleteObjectCommand, GetObjectCommand, PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { ConfigError, SmartStorage } from "holdfast";
import { clientOf } from "./storage-client.js";

const Bucket = "memory";
const MIB = 2 ** 20;

describe("SmartStorage in memory", () => {
  let folder: string;
  let storage: SmartStorage;
  let client: S3Client;

  const sizeOf = async (Key: string) =>
    (await (await client.send(new GetObjectCommand({ Bucket, Key }))).Body?.transformToByteArray())?.length;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "holdfast-memory-"));
    storage = await SmartStorage.createAndStart({
      server: { port: 0, address: "127.0.0.1", silent: true },
      storage: { inMemory: true, directory: folder },
      limits: { maxMemory: 24 * MIB },
      buckets: [Bucket],
    });
    client = await clientOf(storage);
  });
  after(async () => {
    client.destroy();
    await storage.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it("serves objects and uploads in parts, and writes no file", async () => {
    await new Upload({ client, params: { Bucket, Key: "parts", Body: Buffer.alloc(12 * MIB, "p") } }).done();
    assert.equal(await sizeOf("parts"), 12 * MIB);
    assert.deepEqual(readdirSync(folder), []);
  });

  it("refuses what does not fit, and takes it once there is room", async () => {
    const put = () => client.send(new PutObjectCommand({ Bucket, Key: "more", Body: Buffer.alloc(14 * MIB) }));
    await assert.rejects(put(), { name: "InternalError", message: /DISK_FULL/ });
    await client.send(new DeleteObjectCommand({ Bucket, Key: "parts" }));
    await put();
    assert.equal(await sizeOf("more"), 14 * MIB);
  });

  it("is empty again after a restart", async () => {
    await storage.stop();
    await storage.start();
    assert.deepEqual(readdirSync(folder), []);
    await storage.createBucket(Bucket);
    await storage.reset();
  });

  it("can't promise what survives a power cut", () => {
    const config = { storage: { inMemory: true, durability: "disk" } } as const;
    assert.throws(() => new SmartStorage(config), ConfigError);
  });
});
