import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteBucketEncryptionCommand,
  DeleteBucketWebsiteCommand,
  GetBucketAccelerateConfigurationCommand,
  GetBucketEncryptionCommand,
  GetBucketLoggingCommand,
  GetBucketNotificationConfigurationCommand,
  GetBucketReplicationCommand,
  GetBucketRequestPaymentCommand,
  GetBucketWebsiteCommand,
  GetObjectAttributesCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutBucketAccelerateConfigurationCommand,
  PutBucketEncryptionCommand,
  PutBucketLoggingCommand,
  PutBucketNotificationConfigurationCommand,
  PutBucketRequestPaymentCommand,
  PutBucketWebsiteCommand,
  PutObjectCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { createPresignedPost } from "@aws-sdk/s3-presigned-post";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { SmartStorage } from "holdfast";
import { clientOf } from "./storage-client.js";

const Bucket = "secrets";
const WORDS = "nobody reads this on the disk";

/** What the SDK calls the parameters of a customer's key. */
const keyOf = (key: Uint8Array) => ({ SSECustomerAlgorithm: "AES256", SSECustomerKey: key as unknown as string });
const sourceKeyOf = (key: Uint8Array) => ({
  CopySourceSSECustomerAlgorithm: "AES256",
  CopySourceSSECustomerKey: key as unknown as string,
});

describe("Encryption by SmartStorage with the AWS SDK", () => {
  const [mine, other] = [randomBytes(32), randomBytes(32)];
  let folder: string;
  let storage: SmartStorage;
  let s3: S3Client;

  const read = async (Key: string, key?: Uint8Array, Range?: string) => {
    const got = await s3.send(new GetObjectCommand({ Bucket, Key, Range, ...(key === undefined ? {} : keyOf(key)) }));
    return { got, text: await got.Body?.transformToString() };
  };
  const refusal = (name: string, status: number) => (error: Error & { $metadata?: { httpStatusCode?: number } }) =>
    error.name === name && error.$metadata?.httpStatusCode === status;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "holdfast-encryption-"));
    storage = await SmartStorage.createAndStart({
      server: { port: 0, address: "127.0.0.1", silent: true },
      storage: { directory: folder },
      auth: { enabled: true },
      buckets: [Bucket],
    });
    s3 = await clientOf(storage);
  });
  after(async () => {
    s3.destroy();
    await storage.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it("reads with the customer's key what was written with it, and with no other", async () => {
    const put = await s3.send(new PutObjectCommand({ Bucket, Key: "mine", Body: WORDS, ...keyOf(mine) }));
    assert.equal(put.SSECustomerAlgorithm, "AES256");
    const { got, text } = await read("mine", mine);
    assert.deepEqual([text, got.SSECustomerKeyMD5], [WORDS, put.SSECustomerKeyMD5]);
    assert.equal((await read("mine", mine, "bytes=7-11")).text, "reads");
    await assert.rejects(read("mine", other), refusal("AccessDenied", 403));
    await assert.rejects(read("mine"), refusal("InvalidRequest", 400));
    await assert.rejects(
      s3.send(new HeadObjectCommand({ Bucket, Key: "mine" })),
      (error: { $metadata?: { httpStatusCode?: number } }) => error.$metadata?.httpStatusCode === 400,
    );
    const attributes = { Bucket, Key: "mine", ObjectAttributes: ["ObjectSize" as const], ...keyOf(mine) };
    assert.equal((await s3.send(new GetObjectAttributesCommand(attributes))).ObjectSize, WORDS.length);
  });

  it("tells how an object is encrypted, and leaves none of its bytes readable in its file", async () => {
    const kms = { ServerSideEncryption: "aws:kms" as const, SSEKMSKeyId: "alias/tests", BucketKeyEnabled: true };
    await s3.send(new PutObjectCommand({ Bucket, Key: "kms", Body: WORDS, ...kms }));
    await s3.send(new PutObjectCommand({ Bucket, Key: "s3", Body: WORDS, ServerSideEncryption: "AES256" }));
    const { got, text } = await read("kms");
    assert.equal(text, WORDS);
    assert.deepEqual([got.ServerSideEncryption, got.SSEKMSKeyId, got.BucketKeyEnabled], Object.values(kms));
    assert.equal((await read("s3")).got.ServerSideEncryption, "AES256");
    const files = readdirSync(join(folder, Bucket));
    assert.ok(files.length >= 2);
    for (const file of files) assert.ok(!readFileSync(join(folder, Bucket, file)).includes("reads"), file);
    assert.equal(statSync(join(folder, ".holdfast", "master.key")).mode & 0o777, 0o600);
  });

  it("copies from one key to another, and to none", async () => {
    await s3.send(new PutObjectCommand({ Bucket, Key: "from", Body: WORDS, ...keyOf(mine) }));
    const source = { Bucket, CopySource: `${Bucket}/from`, ...sourceKeyOf(mine) };
    await s3.send(new CopyObjectCommand({ ...source, Key: "to", ...keyOf(other) }));
    assert.equal((await read("to", other)).text, WORDS);
    await s3.send(new CopyObjectCommand({ ...source, Key: "open" }));
    assert.equal((await read("open")).text, WORDS);
    const wrong = { ...source, ...sourceKeyOf(other), Key: "never" };
    await assert.rejects(s3.send(new CopyObjectCommand(wrong)), refusal("AccessDenied", 403));
  });

  it("takes uploads in parts, each encrypted", async () => {
    const Body = randomBytes(11 << 20);
    for (const how of [
      keyOf(mine),
      { ServerSideEncryption: "AES256" as const },
      { ServerSideEncryption: "aws:kms" as const },
    ]) {
      const done = await new Upload({ client: s3, params: { Bucket, Key: "large", Body, ...how } }).done();
      assert.match(done.ETag ?? "", /-3"$/);
      const key = "SSECustomerKey" in how ? mine : undefined;
      const got = await s3.send(new GetObjectCommand({ Bucket, Key: "large", ...(key ? keyOf(key) : {}) }));
      assert.ok(Body.equals((await got.Body?.transformToByteArray()) ?? new Uint8Array()));
    }
  });

  it("encrypts what a presigned URL and a form put as they say", async () => {
    const command = new PutObjectCommand({ Bucket, Key: "presigned", ServerSideEncryption: "AES256" });
    const url = await getSignedUrl(s3, command, { expiresIn: 60 });
    const headers = { "x-amz-server-side-encryption": "AES256" };
    const put = await fetch(url, { method: "PUT", body: WORDS, headers });
    assert.equal(put.headers.get("x-amz-server-side-encryption"), "AES256", await put.text());
    const { got, text } = await read("presigned");
    assert.deepEqual([text, got.ServerSideEncryption], [WORDS, "AES256"]);

    const Fields = { "x-amz-server-side-encryption": "aws:kms" };
    const form = await createPresignedPost(s3, { Bucket, Key: "posted", Fields });
    const body = new FormData();
    for (const [name, value] of Object.entries(form.fields)) body.append(name, value);
    body.append("file", new Blob([WORDS]));
    const posted = await fetch(form.url, { method: "POST", body });
    assert.equal(posted.headers.get("x-amz-server-side-encryption"), "aws:kms", await posted.text());
    assert.equal((await read("posted")).text, WORDS);
  });

  it("encrypts by default where the bucket says so", async () => {
    const missing = refusal("ServerSideEncryptionConfigurationNotFoundError", 404);
    await assert.rejects(s3.send(new GetBucketEncryptionCommand({ Bucket })), missing);
    const ApplyServerSideEncryptionByDefault = { SSEAlgorithm: "aws:kms" as const, KMSMasterKeyID: "alias/default" };
    const ServerSideEncryptionConfiguration = {
      Rules: [{ ApplyServerSideEncryptionByDefault, BucketKeyEnabled: false }],
    };
    await s3.send(new PutBucketEncryptionCommand({ Bucket, ServerSideEncryptionConfiguration }));
    const told = await s3.send(new GetBucketEncryptionCommand({ Bucket }));
    assert.deepEqual(told.ServerSideEncryptionConfiguration, ServerSideEncryptionConfiguration);
    const put = await s3.send(new PutObjectCommand({ Bucket, Key: "by-default", Body: WORDS }));
    assert.deepEqual([put.ServerSideEncryption, put.SSEKMSKeyId], ["aws:kms", "alias/default"]);
    await s3.send(new DeleteBucketEncryptionCommand({ Bucket }));
    await assert.rejects(s3.send(new GetBucketEncryptionCommand({ Bucket })), missing);
    assert.equal((await read("by-default")).text, WORDS);
  });

  it("brings encrypted objects and settings back with a snapshot", async () => {
    await s3.send(new PutObjectCommand({ Bucket, Key: "kept", Body: WORDS, ...keyOf(mine) }));
    await s3.send(new PutObjectCommand({ Bucket, Key: "kept too", Body: WORDS, ServerSideEncryption: "AES256" }));
    const snapshot = await storage.snapshot();
    await storage.reset();
    await storage.restore(snapshot);
    assert.equal((await read("kept", mine)).text, WORDS);
    assert.equal((await read("kept too")).text, WORDS);
    await snapshot.release();
  });

  it("keeps and gives back the settings of a bucket", async () => {
    await s3.send(new CreateBucketCommand({ Bucket: "logs" }));
    const WebsiteConfiguration = {
      IndexDocument: { Suffix: "index.html" },
      RoutingRules: [{ Condition: { KeyPrefixEquals: "a/" }, Redirect: { ReplaceKeyPrefixWith: "b/" } }],
    };
    await s3.send(new PutBucketWebsiteCommand({ Bucket, WebsiteConfiguration }));
    const { $metadata: _, ...website } = await s3.send(new GetBucketWebsiteCommand({ Bucket }));
    assert.deepEqual(website, WebsiteConfiguration);
    await s3.send(new DeleteBucketWebsiteCommand({ Bucket }));
    await assert.rejects(s3.send(new GetBucketWebsiteCommand({ Bucket })), refusal("NoSuchWebsiteConfiguration", 404));

    const Grantee = { Type: "CanonicalUser" as const, ID: "abc" };
    const LoggingEnabled = {
      TargetBucket: "logs",
      TargetPrefix: "of-secrets/",
      TargetGrants: [{ Grantee, Permission: "READ" as const }],
    };
    await s3.send(new PutBucketLoggingCommand({ Bucket, BucketLoggingStatus: { LoggingEnabled } }));
    assert.deepEqual((await s3.send(new GetBucketLoggingCommand({ Bucket }))).LoggingEnabled, LoggingEnabled);
    const nowhere = { LoggingEnabled: { ...LoggingEnabled, TargetBucket: "nowhere" } };
    await assert.rejects(
      s3.send(new PutBucketLoggingCommand({ Bucket, BucketLoggingStatus: nowhere })),
      refusal("InvalidTargetBucketForLogging", 400),
    );

    const Filter = { Key: { FilterRules: [{ Name: "suffix" as const, Value: ".jpg" }] } };
    const queue = { Id: "q", QueueArn: "arn:aws:sqs:us-east-1:1:q", Events: ["s3:ObjectCreated:*" as const], Filter };
    const NotificationConfiguration = { QueueConfigurations: [queue] };
    await s3.send(new PutBucketNotificationConfigurationCommand({ Bucket, NotificationConfiguration }));
    const told = await s3.send(new GetBucketNotificationConfigurationCommand({ Bucket }));
    assert.deepEqual(told.QueueConfigurations, NotificationConfiguration.QueueConfigurations);

    await s3.send(new PutBucketRequestPaymentCommand({ Bucket, RequestPaymentConfiguration: { Payer: "Requester" } }));
    assert.equal((await s3.send(new GetBucketRequestPaymentCommand({ Bucket }))).Payer, "Requester");
    await s3.send(
      new PutBucketAccelerateConfigurationCommand({ Bucket, AccelerateConfiguration: { Status: "Suspended" } }),
    );
    assert.equal((await s3.send(new GetBucketAccelerateConfigurationCommand({ Bucket }))).Status, "Suspended");
    await assert.rejects(
      s3.send(new GetBucketReplicationCommand({ Bucket })),
      refusal("ReplicationConfigurationNotFoundError", 404),
    );
  });
});
