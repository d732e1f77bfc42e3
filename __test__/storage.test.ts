import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { after, before, describe, it } from "node:test";
import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectAttributesCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type PutObjectCommandInput,
  paginateListObjectsV2,
  S3Client,
  type ServiceInputTypes,
  type ServiceOutputTypes,
} from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import type { FinalizeHandler } from "@smithy/types";
import { SmartStorage } from "holdfast";

const Bucket = "sdk";
const MIB = 2 ** 20;
const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

describe("SmartStorage with the AWS SDK", () => {
  let folder: string;
  let storage: SmartStorage;
  let client: S3Client;
  let endpoint: string;

  const clientWith = (accessKeyId: string, secretAccessKey: string, forcePathStyle = true): S3Client =>
    new S3Client({
      endpoint,
      region: "us-east-1",
      credentials: { accessKeyId, secretAccessKey },
      forcePathStyle,
      maxAttempts: 1,
    });
  const bytesOf = async (Key: string, Range?: string): Promise<Uint8Array> => {
    const got = await client.send(new GetObjectCommand({ Bucket, Key, ...(Range === undefined ? {} : { Range }) }));
    return (got.Body as NonNullable<typeof got.Body>).transformToByteArray();
  };
  const put = (Key: string, Body: string | Uint8Array, more: Partial<PutObjectCommandInput> = {}) =>
    client.send(new PutObjectCommand({ Bucket, Key, Body, ...more }));
  const codeOf = (error: unknown): { name: string; status: number | undefined } => {
    const { name, $metadata } = error as { name: string; $metadata?: { httpStatusCode?: number } };
    return { name, status: $metadata?.httpStatusCode };
  };
  const rejectsWith = (call: Promise<unknown>, name: string, status: number): Promise<void> =>
    assert.rejects(call, (error) => {
      assert.deepEqual(codeOf(error), { name, status });
      return true;
    });

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "holdfast-storage-"));
    storage = await SmartStorage.createAndStart({
      server: { port: 0, address: "127.0.0.1", silent: true },
      storage: { directory: folder },
      auth: { enabled: true, credentials: [{ accessKeyId: "sdk-key", secretAccessKey: "sdk-secret" }] },
      buckets: [Bucket],
    });
    const descriptor = await storage.getStorageDescriptor();
    endpoint = `http://${descriptor.endpoint}:${descriptor.port}`;
    client = clientWith(descriptor.accessKey, descriptor.accessSecret);
  });
  after(async () => {
    client.destroy();
    await storage.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it("gives back a small object with its metadata, by the SDK's default trailing checksum", async () => {
    await put("small.txt", "Hello, Storage!", { ContentType: "text/plain", Metadata: { colour: "green" } });
    const got = await client.send(new GetObjectCommand({ Bucket, Key: "small.txt" }));
    assert.equal(await got.Body?.transformToString(), "Hello, Storage!");
    assert.equal(got.ContentType, "text/plain");
    assert.deepEqual(got.Metadata, { colour: "green" });
    assert.equal(got.ContentEncoding, undefined);
    assert.notEqual(got.ChecksumCRC32, undefined);
  });

  it("takes a stream, which the SDK sends in chunks with a trailer", async () => {
    const bytes = randomBytes(3 * MIB);
    const Body = Readable.from([bytes.subarray(0, 100_000), bytes.subarray(100_000)]);
    await client.send(new PutObjectCommand({ Bucket, Key: "stream", Body, ContentLength: bytes.length }));
    assert.equal(sha256(await bytesOf("stream")), sha256(bytes));
  });

  for (const ChecksumAlgorithm of ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"] as const) {
    it(`verifies, keeps and gives back ${ChecksumAlgorithm}`, async () => {
      const Key = `sum-${ChecksumAlgorithm}`;
      await put(Key, "123456789", { ChecksumAlgorithm });
      const head = await client.send(new HeadObjectCommand({ Bucket, Key, ChecksumMode: "ENABLED" }));
      assert.notEqual(head[`Checksum${ChecksumAlgorithm}`], undefined);
      assert.equal(head.ChecksumType, "FULL_OBJECT");
    });
  }

  it("refuses a body whose checksum is another, and leaves nothing behind", async () => {
    await rejectsWith(put("wrong-sum", "data", { ChecksumCRC32: "AAAAAA==" }), "BadDigest", 400);
    await rejectsWith(client.send(new HeadObjectCommand({ Bucket, Key: "wrong-sum" })), "NotFound", 404);
  });

  it("puts 20 MB together from parts", async () => {
    const bytes = randomBytes(20 * MIB);
    const upload = new Upload({
      client,
      params: { Bucket, Key: "large", Body: bytes },
      partSize: 5 * MIB,
      queueSize: 4,
    });
    const done = await upload.done();
    assert.match(done.ETag ?? "", /^"[0-9a-f]{32}-4"$/);
    assert.equal(sha256(await bytesOf("large")), sha256(bytes));
    const ObjectAttributes = ["ETag", "Checksum", "ObjectParts", "ObjectSize"] as const;
    const told = await client.send(
      new GetObjectAttributesCommand({ Bucket, Key: "large", ObjectAttributes: [...ObjectAttributes] }),
    );
    assert.equal(told.ObjectParts?.TotalPartsCount, 4);
    assert.equal(told.ObjectSize, bytes.length);
    const second = await client.send(new GetObjectCommand({ Bucket, Key: "large", PartNumber: 2 }));
    assert.equal(second.PartsCount, 4);
    const part = await second.Body?.transformToByteArray();
    assert.equal(sha256(part as Uint8Array), sha256(bytes.subarray(5 * MIB, 10 * MIB)));
  });

  it("answers a range with those bytes alone", async () => {
    await put("range", "0123456789");
    assert.equal(Buffer.from(await bytesOf("range", "bytes=2-4")).toString(), "234");
    await rejectsWith(bytesOf("range", "bytes=10-"), "InvalidRange", 416);
  });

  it("answers a presigned URL to anybody, for what it was signed for and no longer", async () => {
    await put("shared", "by URL");
    const url = await getSignedUrl(client, new GetObjectCommand({ Bucket, Key: "shared" }), { expiresIn: 60 });
    const got = await fetch(url);
    assert.equal(await got.text(), "by URL");
    assert.equal((await fetch(url.replace("/shared", "/small.txt"))).status, 403);
    const signingDate = new Date(Date.now() - 61_000);
    const old = await getSignedUrl(client, new GetObjectCommand({ Bucket, Key: "shared" }), {
      expiresIn: 60,
      signingDate,
    });
    const refused = await fetch(old);
    assert.equal(refused.status, 403);
    assert.match(await refused.text(), /Request has expired/);
  });

  it("takes an upload by a presigned URL", async () => {
    const url = await getSignedUrl(client, new PutObjectCommand({ Bucket, Key: "uploaded" }), { expiresIn: 60 });
    const done = await fetch(url, { method: "PUT", body: "from a browser" });
    assert.equal(done.status, 200, await done.text());
    assert.equal(Buffer.from(await bytesOf("uploaded")).toString(), "from a browser");
  });

  it("pages through a listing and rolls it up by delimiter", async () => {
    const keys = Array.from({ length: 25 }, (_, index) => `list/${String(index).padStart(3, "0")}`);
    for (const key of [...keys, "list/deep/1", "list/deep/2"]) await put(key, "x");
    const seen: (string | undefined)[] = [];
    let pages = 0;
    for await (const page of paginateListObjectsV2(
      { client, pageSize: 10 },
      { Bucket, Prefix: "list/", Delimiter: "/" },
    )) {
      pages++;
      seen.push(...(page.Contents ?? []).map((object) => object.Key));
      seen.push(...(page.CommonPrefixes ?? []).map((prefix) => prefix.Prefix));
    }
    assert.equal(pages, 3);
    assert.deepEqual(seen.sort(), [...keys, "list/deep/"].sort());
  });

  it("copies and deletes, one and many", async () => {
    await put("from", "copied", { Metadata: { a: "1" } });
    await client.send(new CopyObjectCommand({ Bucket, Key: "to", CopySource: `${Bucket}/from` }));
    const copy = await client.send(new GetObjectCommand({ Bucket, Key: "to" }));
    assert.equal(await copy.Body?.transformToString(), "copied");
    assert.deepEqual(copy.Metadata, { a: "1" });
    await client.send(new DeleteObjectCommand({ Bucket, Key: "from" }));
    const Objects = [{ Key: "to" }, { Key: "never-was" }];
    const deleted = await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
    assert.equal(deleted.Deleted?.length, 2);
    await rejectsWith(bytesOf("to"), "NoSuchKey", 404);
  });

  it("lets exactly one of racing writers create an object", async () => {
    const race = Array.from({ length: 16 }, (_, index) => put("race", `writer ${index}`, { IfNoneMatch: "*" }));
    const outcomes = await Promise.allSettled(race);
    assert.equal(outcomes.filter((outcome) => outcome.status === "fulfilled").length, 1);
    for (const outcome of outcomes) {
      if (outcome.status === "rejected")
        assert.deepEqual(codeOf(outcome.reason), { name: "PreconditionFailed", status: 412 });
    }
  });

  it("replaces and deletes only what still is what it was", async () => {
    const first = await put("guarded", "one");
    const second = await put("guarded", "two", { IfMatch: first.ETag });
    await rejectsWith(put("guarded", "three", { IfMatch: first.ETag }), "PreconditionFailed", 412);
    const stale = new DeleteObjectCommand({ Bucket, Key: "guarded", IfMatch: first.ETag });
    await rejectsWith(client.send(stale), "PreconditionFailed", 412);
    await client.send(new DeleteObjectCommand({ Bucket, Key: "guarded", IfMatch: second.ETag }));
    await rejectsWith(put("guarded", "four", { IfMatch: second.ETag }), "NoSuchKey", 404);
  });

  it("does not send again what the client has", async () => {
    const { ETag } = await put("cached", "same");
    await rejectsWith(client.send(new GetObjectCommand({ Bucket, Key: "cached", IfNoneMatch: ETag })), "Unknown", 304);
    await rejectsWith(
      client.send(new GetObjectCommand({ Bucket, Key: "cached", IfMatch: '"other"' })),
      "PreconditionFailed",
      412,
    );
  });

  it("makes and removes buckets", async () => {
    await client.send(new CreateBucketCommand({ Bucket: "second" }));
    const listed = await client.send(new ListBucketsCommand({}));
    assert.deepEqual(
      listed.Buckets?.map((bucket) => bucket.Name),
      [Bucket, "second"],
    );
    await client.send(new DeleteBucketCommand({ Bucket: "second" }));
    await rejectsWith(client.send(new DeleteBucketCommand({ Bucket: "second" })), "NoSuchBucket", 404);
  });

  it("answers by virtual host on localhost", async () => {
    await put("by/host", "virtual");
    const { port } = await storage.getStorageDescriptor();
    const virtual = new S3Client({
      endpoint: `http://localhost:${port}`,
      region: "us-east-1",
      credentials: { accessKeyId: "sdk-key", secretAccessKey: "sdk-secret" },
    });
    type Next = FinalizeHandler<ServiceInputTypes, ServiceOutputTypes>;
    virtual.middlewareStack.addRelativeTo(
      (next: Next) => (args: Parameters<Next>[0]) => {
        // The name resolves nowhere on some machines; the header is what counts.
        const request = args.request as { hostname: string; headers: Record<string, string> };
        assert.equal(request.hostname, `${Bucket}.localhost`);
        request.headers.host = `${request.hostname}:${port}`;
        request.hostname = "127.0.0.1";
        return next(args);
      },
      { relation: "before", toMiddleware: "deserializerMiddleware", name: "toLoopback" },
    );
    const got = await virtual.send(new GetObjectCommand({ Bucket, Key: "by/host" }));
    assert.equal(await got.Body?.transformToString(), "virtual");
    virtual.destroy();
  });

  it("refuses a wrong secret, an unknown key and the unsigned", async () => {
    const list = new ListObjectsV2Command({ Bucket });
    await rejectsWith(clientWith("sdk-key", "wrong").send(list), "SignatureDoesNotMatch", 403);
    await rejectsWith(clientWith("nobody", "sdk-secret").send(list), "InvalidAccessKeyId", 403);
    const anonymous = await fetch(`${endpoint}/${Bucket}/small.txt`);
    assert.equal(anonymous.status, 403);
    assert.match(await anonymous.text(), /<Code>AccessDenied<\/Code>/);
  });
});
