import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import {
  DeletePublicAccessBlockCommand,
  GetBucketOwnershipControlsCommand,
  GetBucketPolicyStatusCommand,
  GetObjectCommand,
  GetPublicAccessBlockCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutBucketOwnershipControlsCommand,
  PutBucketPolicyCommand,
  PutObjectCommand,
  PutPublicAccessBlockCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import { createPresignedPost, type PresignedPostOptions } from "@aws-sdk/s3-presigned-post";
import { ConfigError, type IStorageCredential, SmartStorage } from "holdfast";
import { clientOf } from "./storage-client.js";

const Bucket = "access";
const RESOURCES = [`arn:aws:s3:::${Bucket}`, `arn:aws:s3:::${Bucket}/*`];

describe("Access to SmartStorage with the AWS SDK", () => {
  let folder: string;
  let storage: SmartStorage;
  let endpoint: string;
  let owner: S3Client;
  let ann: S3Client;

  const setPolicy = (...Statement: object[]) =>
    owner.send(new PutBucketPolicyCommand({ Bucket, Policy: JSON.stringify({ Version: "2012-10-17", Statement }) }));
  const textOf = async (client: S3Client, Key: string) => {
    const got = await client.send(new GetObjectCommand({ Bucket, Key }));
    return got.Body?.transformToString();
  };
  const post = async (options: Omit<PresignedPostOptions, "Bucket">, file: string) => {
    const { url, fields } = await createPresignedPost(owner, { Bucket, ...options });
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.append(name, value);
    form.append("file", new Blob([file]), "local.txt");
    return fetch(url, { method: "POST", body: form });
  };

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "holdfast-access-"));
    storage = await SmartStorage.createAndStart({
      server: { port: 0, address: "127.0.0.1", silent: true },
      storage: { directory: folder },
      auth: {
        enabled: true,
        credentials: [
          { accessKeyId: "owner", secretAccessKey: "of owner", canonicalId: "0123abcd", displayName: "The owner" },
          { accessKeyId: "ann", secretAccessKey: "of ann", email: "ann@example.com" },
        ],
      },
      buckets: [Bucket],
    });
    const descriptor = await storage.getStorageDescriptor();
    endpoint = `http://${descriptor.endpoint}:${descriptor.port}`;
    owner = await clientOf(storage, { credentials: { accessKeyId: "owner", secretAccessKey: "of owner" } });
    ann = await clientOf(storage, { credentials: { accessKeyId: "ann", secretAccessKey: "of ann" } });
  });
  after(async () => {
    owner.destroy();
    ann.destroy();
    await storage.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it("names the owner as its credential does", async () => {
    const { Owner } = await owner.send(new ListBucketsCommand({}));
    assert.deepEqual(Owner, { ID: "0123abcd", DisplayName: "The owner" });
  });

  it("takes a form that the SDK's presigner made, and nothing that its policy does not allow", async () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a form puts the name of its file there
    const Key = "posted/${filename}";
    const posted = await post({ Key, Conditions: [["content-length-range", 1, 8]] }, "by form");
    assert.equal(posted.status, 204, await posted.text());
    assert.equal(await textOf(owner, "posted/local.txt"), "by form");
    const large = await post({ Key, Conditions: [["content-length-range", 1, 8]] }, "much too large");
    assert.equal(large.status, 400);
    assert.match(await large.text(), /<Code>EntityTooLarge<\/Code>/);
    assert.equal(await textOf(owner, "posted/local.txt"), "by form");
  });

  it("answers a form as it asks, with the object's type and metadata", async () => {
    const Fields = { success_action_status: "201", "Content-Type": "text/css", "x-amz-meta-colour": "red" };
    const posted = await post({ Key: "typed", Fields }, "a {}");
    assert.equal(posted.status, 201);
    assert.match(await posted.text(), /<Key>typed<\/Key>/);
    const got = await owner.send(new GetObjectCommand({ Bucket, Key: "typed" }));
    assert.deepEqual([got.ContentType, got.Metadata], ["text/css", { colour: "red" }]);
  });

  it("gives each user a folder by a policy with variables", async () => {
    await owner.send(new PutObjectCommand({ Bucket, Key: "homes/owner/a", Body: "of owner" }));
    await setPolicy({
      Effect: "Deny",
      Principal: { AWS: "arn:aws:iam::000000000000:user/ann" },
      Action: "s3:*Object",
      NotResource: `arn:aws:s3:::${Bucket}/homes/\${aws:username}/*`,
    });
    await ann.send(new PutObjectCommand({ Bucket, Key: "homes/ann/a", Body: "of ann" }));
    assert.equal(await textOf(ann, "homes/ann/a"), "of ann");
    await assert.rejects(textOf(ann, "homes/owner/a"), { name: "AccessDenied" });
    assert.equal(await textOf(owner, "homes/owner/a"), "of owner");
  });

  it("demands of a write what a condition says", async () => {
    await setPolicy({
      Effect: "Deny",
      Principal: "*",
      Action: "s3:PutObject",
      Resource: RESOURCES[1],
      Condition: { StringNotEquals: { "s3:RequestObjectTag/reviewed": "yes" } },
    });
    const put = (Tagging?: string) =>
      ann.send(new PutObjectCommand({ Bucket, Key: "reviewed", Body: "x", ...(Tagging ? { Tagging } : {}) }));
    await assert.rejects(put(), { name: "AccessDenied" });
    await assert.rejects(put("reviewed=no"), { name: "AccessDenied" });
    await put("reviewed=yes");
  });

  it("refuses a policy with a key that it does not know, and keeps the one before", async () => {
    const allow = { Effect: "Allow", Principal: "*", Action: "s3:GetObject", Resource: RESOURCES[1] };
    await setPolicy(allow);
    const unknown = { ...allow, Condition: { StringEquals: { "aws:Sauce": "x" } } };
    await assert.rejects(setPolicy(unknown), { name: "MalformedPolicy" });
    assert.equal((await fetch(`${endpoint}/${Bucket}/posted/local.txt`)).status, 200);
  });

  it("keeps a bucket from being public, whatever its policy says", async () => {
    const allow = { Effect: "Allow", Principal: "*", Action: "s3:GetObject", Resource: RESOURCES[1] };
    await setPolicy(allow);
    const { PolicyStatus } = await owner.send(new GetBucketPolicyStatusCommand({ Bucket }));
    assert.equal(PolicyStatus?.IsPublic, true);
    const PublicAccessBlockConfiguration = { BlockPublicPolicy: true, RestrictPublicBuckets: true };
    await owner.send(new PutPublicAccessBlockCommand({ Bucket, PublicAccessBlockConfiguration }));
    const told = await owner.send(new GetPublicAccessBlockCommand({ Bucket }));
    assert.deepEqual(told.PublicAccessBlockConfiguration, {
      BlockPublicAcls: false,
      IgnorePublicAcls: false,
      ...PublicAccessBlockConfiguration,
    });
    assert.equal((await fetch(`${endpoint}/${Bucket}/posted/local.txt`)).status, 403);
    await assert.rejects(setPolicy(allow), { name: "AccessDenied" });
    await owner.send(new DeletePublicAccessBlockCommand({ Bucket }));
    assert.equal((await fetch(`${endpoint}/${Bucket}/posted/local.txt`)).status, 200);
  });

  it("keeps and gives back ownership controls", async () => {
    const OwnershipControls = { Rules: [{ ObjectOwnership: "BucketOwnerPreferred" as const }] };
    await owner.send(new PutBucketOwnershipControlsCommand({ Bucket, OwnershipControls }));
    const told = await owner.send(new GetBucketOwnershipControlsCommand({ Bucket }));
    assert.deepEqual(told.OwnershipControls, OwnershipControls);
  });

  it("verifies a presigned URL of version 2, as older SDKs make it", async () => {
    const expires = Math.floor(Date.now() / 1000) + 60;
    const text = `GET\n\n\n${expires}\n/${Bucket}/typed`;
    const signature = createHmac("sha1", "of ann").update(text).digest("base64");
    const query = new URLSearchParams({ AWSAccessKeyId: "ann", Expires: String(expires), Signature: signature });
    const url = `${endpoint}/${Bucket}/typed?${query}`;
    assert.equal(await (await fetch(url)).text(), "a {}");
    assert.equal((await fetch(url, { method: "DELETE" })).status, 403);
    assert.equal((await fetch(url.replace("/typed", "/reviewed"))).status, 403);
  });

  it("lists what a condition on the prefix allows to everybody", async () => {
    await setPolicy({
      Effect: "Deny",
      Principal: { AWS: "ann" },
      Action: "s3:ListBucket",
      Resource: RESOURCES[0],
      Condition: { StringNotLike: { "s3:prefix": "posted/*" } },
    });
    const list = (Prefix: string) => ann.send(new ListObjectsV2Command({ Bucket, Prefix }));
    assert.deepEqual(
      (await list("posted/")).Contents?.map((entry) => entry.Key),
      ["posted/local.txt"],
    );
    await assert.rejects(list("homes/"), { name: "AccessDenied" });
  });
});

describe("auth.credentials", () => {
  const refused = (credentials: unknown, setting: string) =>
    assert.throws(
      () => new SmartStorage({ auth: { credentials: credentials as IStorageCredential[] } }),
      (error) => {
        assert.ok(error instanceof ConfigError);
        assert.equal(error.details.setting, setting);
        assert.doesNotMatch(error.message, /hush/);
        return true;
      },
    );
  const pair = { accessKeyId: "a", secretAccessKey: "hush" };

  it("refuse what is no text, and fields that nobody knows", () => {
    refused([{ ...pair, canonicalId: 1 }], "auth.credentials[0].canonicalId");
    refused([{ ...pair, email: "" }], "auth.credentials[0].email");
    refused([{ ...pair, sauce: "x" }], "auth.credentials[0].sauce");
  });

  it("refuse a name that would mean two users", () => {
    refused([pair, pair], "auth.credentials");
    refused([pair, { ...pair, accessKeyId: "b", canonicalId: "a" }], "auth.credentials");
  });

  it("refuse two names or addresses of one owner, and one address of two", () => {
    const other = { ...pair, accessKeyId: "b" };
    refused(
      [
        { ...pair, canonicalId: "c", displayName: "C" },
        { ...other, canonicalId: "c", displayName: "D" },
      ],
      "auth.credentials",
    );
    refused(
      [
        { ...pair, canonicalId: "c", email: "c@example.com" },
        { ...other, canonicalId: "d", email: "C@example.com" },
      ],
      "auth.credentials",
    );
  });
});
