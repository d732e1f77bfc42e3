import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { after, before, describe, it } from "node:test";
import {
  CopyObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  paginateListObjectsV2,
  S3Client,
} from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { createPresignedPost } from "@aws-sdk/s3-presigned-post";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { type ClientServer, startServer } from "./server.mts";
import { AWKWARD_KEYS, pattern } from "./tree.mts";

const Bucket = "sdk";
const MIB = 2 ** 20;

/** The order of S3: that of the UTF-8 bytes. */
const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

describe("the AWS SDK for JavaScript", () => {
  let server: ClientServer;
  let client: S3Client;

  before(async () => {
    server = await startServer([Bucket]);
    client = new S3Client({
      endpoint: server.endpoint,
      region: "us-east-1",
      credentials: { accessKeyId: server.accessKey, secretAccessKey: server.secret },
      forcePathStyle: true,
      maxAttempts: 1,
    });
  });
  after(async () => {
    client.destroy();
    await server.stop();
  });

  const textOf = async (Key: string): Promise<string> => {
    const got = await client.send(new GetObjectCommand({ Bucket, Key }));
    return got.Body!.transformToString();
  };

  it("puts, lists, reads, copies and deletes keys that no file system holds", async () => {
    await Promise.all(AWKWARD_KEYS.map((Key) => client.send(new PutObjectCommand({ Bucket, Key, Body: Key }))));
    const listed: string[] = [];
    for await (const page of paginateListObjectsV2({ client, pageSize: 7 }, { Bucket, EncodingType: "url" })) {
      for (const { Key } of page.Contents ?? []) listed.push(decodeURIComponent(Key!));
    }
    assert.deepEqual(listed, [...AWKWARD_KEYS].sort(byBytes));
    for (const key of AWKWARD_KEYS) {
      assert.equal(await textOf(key), key);
      const CopySource = `${Bucket}/${encodeURIComponent(key)}`;
      await client.send(new CopyObjectCommand({ Bucket, Key: "copy", CopySource }));
      assert.equal(await textOf("copy"), key);
    }
    const Objects = [...AWKWARD_KEYS, "copy"].map((Key) => ({ Key }));
    const { Deleted, Errors } = await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
    assert.deepEqual([Deleted?.length, Errors], [Objects.length, undefined]);
    for await (const page of paginateListObjectsV2({ client }, { Bucket })) assert.equal(page.KeyCount, 0);
  });

  it("uploads a stream in parts, with the checksum that it sends by default", async () => {
    const bytes = pattern(12 * MIB);
    const chunks = Array.from({ length: 12 }, (_, index) => bytes.subarray(index * MIB, (index + 1) * MIB));
    const params = { Bucket, Key: "streamed", Body: Readable.from(chunks) };
    await new Upload({ client, params, partSize: 5 * MIB, queueSize: 3 }).done();
    const head = await client.send(new HeadObjectCommand({ Bucket, Key: "streamed", ChecksumMode: "ENABLED" }));
    assert.match(head.ETag!, /-3"$/);
    assert.match(head.ChecksumCRC32!, /-3$/);
    const got = await client.send(new GetObjectCommand({ Bucket, Key: "streamed" }));
    assert.ok(bytes.equals(await got.Body!.transformToByteArray()));
  });

  it("presigns awkward keys for reading and writing", async () => {
    for (const Key of AWKWARD_KEYS.filter((key) => !/(^|\/)\.\.?(\/|$)/.test(key))) {
      const put = await getSignedUrl(client, new PutObjectCommand({ Bucket, Key }), { expiresIn: 60 });
      assert.equal((await fetch(put, { method: "PUT", body: Key })).status, 200, Key);
      const get = await getSignedUrl(client, new GetObjectCommand({ Bucket, Key }), { expiresIn: 60 });
      assert.equal(await (await fetch(get)).text(), Key);
    }
  });

  it("presigns a form, and its conditions hold", async () => {
    const { url, fields } = await createPresignedPost(client, {
      Bucket,
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the server fills it in.
      Key: "form/${filename}",
      Conditions: [["content-length-range", 1, 10]],
      Fields: { success_action_status: "201", "x-amz-meta-who": "me" },
      Expires: 60,
    });
    const post = (bytes: string): Promise<Response> => {
      const form = new FormData();
      for (const [name, value] of Object.entries(fields)) form.set(name, value);
      form.set("file", new Blob([bytes]), "größe +%.txt");
      return fetch(url, { method: "POST", body: form });
    };
    assert.equal((await post("0123456789")).status, 201);
    assert.equal(await textOf("form/größe +%.txt"), "0123456789");
    const tooLong = await post("0123456789A");
    assert.deepEqual([tooLong.status, /<Code>(\w+)/.exec(await tooLong.text())?.[1]], [400, "EntityTooLarge"]);
  });
});
