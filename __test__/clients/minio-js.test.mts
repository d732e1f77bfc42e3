import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { buffer, text } from "node:stream/consumers";
import { after, before, describe, it } from "node:test";
import { type BucketItem, Client, CopyDestinationOptions, CopySourceOptions } from "minio";
import { type ClientServer, startServer } from "./server.mts";
import { AWKWARD_KEYS, pattern } from "./tree.mts";

const BUCKET = "minio-js";

/** What minio-js can't say: segments that are dots alone, and names that its XML reader trims or reads otherwise. */
const sayable = (key: string): boolean => !/(^|\/)\.\.?(\/|$)|[\r\n\t]/.test(key);

describe("minio-js", () => {
  let server: ClientServer;
  let client: Client;

  before(async () => {
    server = await startServer([BUCKET]);
    client = new Client({
      endPoint: server.host,
      port: server.port,
      useSSL: false,
      accessKey: server.accessKey,
      secretKey: server.secret,
    });
  });
  after(() => server.stop());

  const list = async (prefix: string): Promise<BucketItem[]> => client.listObjectsV2(BUCKET, prefix, true).toArray();

  it("makes, finds and removes buckets", async () => {
    await client.makeBucket("made-by-minio", "us-east-1");
    assert.equal(await client.bucketExists("made-by-minio"), true);
    assert.ok((await client.listBuckets()).some(({ name }) => name === "made-by-minio"));
    await client.removeBucket("made-by-minio");
    assert.equal(await client.bucketExists("made-by-minio"), false);
  });

  it("puts, lists, reads and removes awkward keys", async () => {
    const keys = AWKWARD_KEYS.filter(sayable);
    for (const key of keys) await client.putObject(BUCKET, key, key);
    for (const key of keys) assert.equal(await text(await client.getObject(BUCKET, key)), key);
    assert.equal((await list("")).length, keys.length);
    await client.removeObjects(BUCKET, keys);
    assert.deepEqual(await list(""), []);
  });

  it("uploads a stream in parts and reads a range of it", async () => {
    const bytes = pattern(70 * 2 ** 20);
    const chunks = Array.from({ length: 70 }, (_, index) => bytes.subarray(index * 2 ** 20, (index + 1) * 2 ** 20));
    await client.putObject(BUCKET, "streamed", Readable.from(chunks), undefined, { "x-amz-meta-who": "me" });
    const { size, metaData, etag } = await client.statObject(BUCKET, "streamed");
    assert.deepEqual([size, metaData.who], [bytes.length, "me"]);
    assert.match(etag, /-\d+$/);
    const part = await client.getPartialObject(BUCKET, "streamed", 5_000_000, 10);
    assert.ok(bytes.subarray(5_000_000, 5_000_010).equals(await buffer(part)));
    assert.ok(bytes.equals(await buffer(await client.getObject(BUCKET, "streamed"))));
  });

  it("copies, tags and presigns", async () => {
    await client.putObject(BUCKET, "a b+c%?", "copied");
    const source = new CopySourceOptions({ Bucket: BUCKET, Object: "a b+c%?" });
    await client.copyObject(source, new CopyDestinationOptions({ Bucket: BUCKET, Object: "copy" }));
    await client.setObjectTagging(BUCKET, "copy", { "a b": "c+d" });
    assert.deepEqual(await client.getObjectTagging(BUCKET, "copy"), [{ Key: "a b", Value: "c+d" }]);
    const get = await client.presignedGetObject(BUCKET, "copy", 60, { "response-content-type": "text/x-own" });
    const got = await fetch(get);
    assert.deepEqual([got.headers.get("content-type"), await got.text()], ["text/x-own", "copied"]);
    const put = await client.presignedPutObject(BUCKET, "put by url", 60);
    assert.equal((await fetch(put, { method: "PUT", body: "by url" })).status, 200);
    assert.equal(await text(await client.getObject(BUCKET, "put by url")), "by url");
  });

  it("is told what is not there", async () => {
    await assert.rejects(client.statObject(BUCKET, "never put"), { code: "NotFound" });
    await assert.rejects(client.getObject(BUCKET, "never put"), { code: "NoSuchKey" });
  });
});
