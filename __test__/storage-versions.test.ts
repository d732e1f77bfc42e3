import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, describe, it } from "node:test";
import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteBucketTaggingCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  DeleteObjectTaggingCommand,
  GetBucketTaggingCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  type ListObjectVersionsCommandInput,
  type ListObjectVersionsCommandOutput,
  PutBucketTaggingCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  PutObjectTaggingCommand,
  type S3Client,
  type Tag,
} from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { SmartStorage } from "holdfast";
import { clientOf } from "./storage-client.js";

describe("SmartStorage with the AWS SDK: versions and tags", () => {
  let folder: string;
  let storage: SmartStorage;
  let client: S3Client;
  let Bucket: string;
  let buckets = 0;

  const put = (Key: string, Body: string, more: Partial<PutObjectCommandInput> = {}) =>
    client.send(new PutObjectCommand({ Bucket, Key, Body, ...more }));
  const textOf = async (Key: string, VersionId?: string): Promise<string | undefined> =>
    (await client.send(new GetObjectCommand({ Bucket, Key, VersionId }))).Body?.transformToString();
  const remove = (Key: string, VersionId?: string) => client.send(new DeleteObjectCommand({ Bucket, Key, VersionId }));
  const setVersioning = (Status: "Enabled" | "Suspended") =>
    client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status } }));
  const tagsOf = async (Key: string, VersionId?: string): Promise<Tag[] | undefined> =>
    (await client.send(new GetObjectTaggingCommand({ Bucket, Key, VersionId }))).TagSet;
  const rejectsWith = (call: Promise<unknown>, name: string, status: number): Promise<void> =>
    assert.rejects(call, (error) => {
      const { name: found, $metadata } = error as { name: string; $metadata?: { httpStatusCode?: number } };
      assert.deepEqual([found, $metadata?.httpStatusCode], [name, status]);
      return true;
    });

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "holdfast-versions-"));
    storage = await SmartStorage.createAndStart({
      server: { port: 0, address: "127.0.0.1", silent: true },
      storage: { directory: folder },
      auth: { enabled: true },
    });
    client = await clientOf(storage);
  });
  after(async () => {
    client.destroy();
    await storage.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(async () => {
    buckets += 1;
    Bucket = `versions-${buckets}`;
    await client.send(new CreateBucketCommand({ Bucket }));
  });

  it("keeps every version of a key once versioning is enabled", async () => {
    assert.equal((await put("k", "before")).VersionId, undefined);
    await setVersioning("Enabled");
    assert.equal((await client.send(new GetBucketVersioningCommand({ Bucket }))).Status, "Enabled");
    const first = (await put("k", "first")).VersionId;
    const second = (await put("k", "second")).VersionId;
    assert.deepEqual(
      [await textOf("k"), await textOf("k", first), await textOf("k", second), await textOf("k", "null")],
      ["second", "first", "second", "before"],
    );
    assert.equal((await client.send(new HeadObjectCommand({ Bucket, Key: "k", VersionId: first }))).VersionId, first);
  });

  it("deletes by a marker, and brings the object back when the marker is removed", async () => {
    await setVersioning("Enabled");
    const { VersionId } = await put("k", "body");
    const deleted = await remove("k");
    assert.equal(deleted.DeleteMarker, true);
    await rejectsWith(textOf("k"), "NoSuchKey", 404);
    await rejectsWith(textOf("k", deleted.VersionId), "MethodNotAllowed", 405);
    assert.equal(await textOf("k", VersionId), "body");
    assert.equal((await client.send(new ListObjectsV2Command({ Bucket }))).KeyCount, 0);
    const undone = await remove("k", deleted.VersionId);
    assert.deepEqual([undone.DeleteMarker, undone.VersionId], [true, deleted.VersionId]);
    assert.equal(await textOf("k"), "body");
  });

  it("lists versions in pages, and a bucket emptied by them can be deleted", async () => {
    await setVersioning("Enabled");
    for (const Key of ["a", "b/1", "b/2"]) {
      for (let version = 0; version < 3; version += 1) {
        await put(Key, `${version}`);
      }
    }
    await remove("a");
    const rolled = await client.send(new ListObjectVersionsCommand({ Bucket, Delimiter: "/" }));
    assert.deepEqual(
      [rolled.Versions?.length, rolled.DeleteMarkers?.length, rolled.CommonPrefixes],
      [3, 1, [{ Prefix: "b/" }]],
    );
    await rejectsWith(client.send(new DeleteBucketCommand({ Bucket })), "BucketNotEmpty", 409);
    let listed = 0;
    let after: Pick<ListObjectVersionsCommandInput, "KeyMarker" | "VersionIdMarker"> | undefined = {};
    while (after !== undefined) {
      const page: ListObjectVersionsCommandOutput = await client.send(
        new ListObjectVersionsCommand({ Bucket, MaxKeys: 4, ...after }),
      );
      const found = [...(page.Versions ?? []), ...(page.DeleteMarkers ?? [])];
      listed += found.length;
      const Objects = found.map(({ Key, VersionId }) => ({ Key, VersionId }));
      const { Errors } = await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
      assert.equal(Errors, undefined);
      after = page.IsTruncated
        ? { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker }
        : undefined;
    }
    assert.equal(listed, 10);
    await client.send(new DeleteBucketCommand({ Bucket }));
  });

  it("replaces the null version alone while versioning is suspended", async () => {
    await setVersioning("Enabled");
    const kept = (await put("k", "kept")).VersionId;
    await setVersioning("Suspended");
    assert.equal((await put("k", "one")).VersionId, "null");
    assert.equal((await put("k", "two")).VersionId, "null");
    const { Versions } = await client.send(new ListObjectVersionsCommand({ Bucket }));
    assert.deepEqual(
      Versions?.map(({ VersionId, IsLatest }) => [VersionId, IsLatest]),
      [
        ["null", true],
        [kept, false],
      ],
    );
  });

  it("copies an old version over the newest, and tells which", async () => {
    await setVersioning("Enabled");
    const first = (await put("k", "first", { Metadata: { colour: "green" } })).VersionId;
    await put("k", "second");
    const CopySource = `${Bucket}/k?versionId=${first}`;
    const copied = await client.send(new CopyObjectCommand({ Bucket, Key: "k", CopySource }));
    assert.equal(copied.CopySourceVersionId, first);
    const got = await client.send(new GetObjectCommand({ Bucket, Key: "k" }));
    assert.deepEqual(
      [await got.Body?.transformToString(), got.Metadata, got.VersionId],
      ["first", { colour: "green" }, copied.VersionId],
    );
  });

  it("lets exactly one of racing writers create a key that was deleted", async () => {
    await setVersioning("Enabled");
    await put("k", "old");
    await remove("k");
    const writers = Array.from({ length: 16 }, (_, n) => put("k", `${n}`, { IfNoneMatch: "*" }));
    const won = (await Promise.allSettled(writers)).filter(({ status }) => status === "fulfilled");
    assert.equal(won.length, 1);
    const { Versions } = await client.send(new ListObjectVersionsCommand({ Bucket }));
    assert.equal(Versions?.length, 2);
  });

  it("makes one version of an upload in parts, with its tags", async () => {
    await setVersioning("Enabled");
    const Body = Buffer.alloc(6 * 2 ** 20, "x");
    const params = { Bucket, Key: "large", Body, Tagging: "colour=green&size=6%20MiB" };
    const done = await new Upload({ client, params, partSize: 5 * 2 ** 20 }).done();
    assert.notEqual(done.VersionId, undefined);
    const head = await client.send(new HeadObjectCommand({ Bucket, Key: "large" }));
    assert.deepEqual([head.VersionId, head.ContentLength], [done.VersionId, Body.length]);
    assert.deepEqual(await tagsOf("large"), [
      { Key: "colour", Value: "green" },
      { Key: "size", Value: "6 MiB" },
    ]);
  });

  it("tags objects and versions", async () => {
    const tagging = (Value: string) => ({ TagSet: [{ Key: "colour", Value }] });
    await put("k", "body", { Tagging: "colour=red" });
    assert.equal((await client.send(new GetObjectCommand({ Bucket, Key: "k" }))).TagCount, 1);
    await setVersioning("Enabled");
    await put("k", "newer");
    await client.send(new PutObjectTaggingCommand({ Bucket, Key: "k", Tagging: tagging("blue") }));
    assert.deepEqual(await tagsOf("k"), tagging("blue").TagSet);
    assert.deepEqual(await tagsOf("k", "null"), tagging("red").TagSet);
    await client.send(new DeleteObjectTaggingCommand({ Bucket, Key: "k", VersionId: "null" }));
    assert.deepEqual(await tagsOf("k", "null"), []);
    const TagSet = Array.from({ length: 11 }, (_, n) => ({ Key: `${n}`, Value: "" }));
    const many = client.send(new PutObjectTaggingCommand({ Bucket, Key: "k", Tagging: { TagSet } }));
    await rejectsWith(many, "BadRequest", 400);
  });

  it("tags buckets", async () => {
    await rejectsWith(client.send(new GetBucketTaggingCommand({ Bucket })), "NoSuchTagSet", 404);
    const TagSet = [{ Key: "team", Value: "storage" }];
    await client.send(new PutBucketTaggingCommand({ Bucket, Tagging: { TagSet } }));
    assert.deepEqual((await client.send(new GetBucketTaggingCommand({ Bucket }))).TagSet, TagSet);
    await client.send(new DeleteBucketTaggingCommand({ Bucket }));
    await rejectsWith(client.send(new GetBucketTaggingCommand({ Bucket })), "NoSuchTagSet", 404);
  });
});
