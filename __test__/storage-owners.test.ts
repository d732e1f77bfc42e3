import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetBucketAclCommand,
  GetBucketCorsCommand,
  GetObjectAclCommand,
  GetObjectCommand,
  type Grant,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutBucketAclCommand,
  PutBucketCorsCommand,
  PutBucketOwnershipControlsCommand,
  PutBucketPolicyCommand,
  PutObjectAclCommand,
  PutObjectCommand,
  PutPublicAccessBlockCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import { createPresignedPost } from "@aws-sdk/s3-presigned-post";
import { SmartStorage } from "holdfast";
import { clientOf } from "./storage-client.js";

const Bucket = "shared";
const PARTNER = "5a2c".repeat(16);

describe("Accounts of SmartStorage with the AWS SDK", () => {
  let folder: string;
  let storage: SmartStorage;
  let endpoint: string;
  const clients: S3Client[] = [];
  let main: S3Client;
  let ci: S3Client;
  let partner: S3Client;

  const clientFor = async (accessKeyId: string): Promise<S3Client> => {
    const client = await clientOf(storage, { credentials: { accessKeyId, secretAccessKey: `of ${accessKeyId}` } });
    clients.push(client);
    return client;
  };
  const put = (client: S3Client, Key: string, more: Partial<PutObjectCommand["input"]> = {}) =>
    client.send(new PutObjectCommand({ Bucket, Key, Body: "data", ...more }));
  const textOf = async (client: S3Client, Key: string) => {
    const got = await client.send(new GetObjectCommand({ Bucket, Key }));
    return got.Body?.transformToString();
  };
  const denied = (promise: Promise<unknown>) => assert.rejects(promise, { name: "AccessDenied" });
  const told = (grants: Grant[] | undefined) =>
    (grants ?? []).map(({ Grantee, Permission }) => [Grantee?.ID ?? Grantee?.URI, Permission]);

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "holdfast-owners-"));
    storage = await SmartStorage.createAndStart({
      server: { port: 0, address: "127.0.0.1", silent: true },
      storage: { directory: folder },
      auth: {
        enabled: true,
        credentials: [
          { accessKeyId: "main", secretAccessKey: "of main" },
          { accessKeyId: "ci", secretAccessKey: "of ci" },
          {
            accessKeyId: "partner",
            secretAccessKey: "of partner",
            canonicalId: PARTNER,
            displayName: "Partner",
            email: "partner@example.com",
          },
        ],
      },
    });
    await storage.createBucket(Bucket);
    const descriptor = await storage.getStorageDescriptor();
    endpoint = `http://${descriptor.endpoint}:${descriptor.port}`;
    main = await clientFor("main");
    ci = await clientFor("ci");
    partner = await clientFor("partner");
  });
  after(async () => {
    for (const client of clients) client.destroy();
    await storage.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it("gives every credential without an id of its own full access to the server's buckets", async () => {
    await put(main, "of-main");
    assert.equal(await textOf(ci, "of-main"), "data");
    await put(ci, "of-ci");
    assert.equal(await textOf(main, "of-ci"), "data");
    const [mine, other] = await Promise.all([main, ci].map((client) => client.send(new ListBucketsCommand({}))));
    assert.deepEqual(mine?.Owner, other?.Owner);
  });

  it("keeps another account out, and shows it its own buckets alone", async () => {
    await denied(partner.send(new ListObjectsV2Command({ Bucket })));
    await denied(textOf(partner, "of-main"));
    await denied(put(partner, "of-main"));
    await assert.rejects(partner.send(new CreateBucketCommand({ Bucket })), { name: "BucketAlreadyExists" });
    await partner.send(new CreateBucketCommand({ Bucket: "partners" }));
    const { Buckets, Owner } = await partner.send(new ListBucketsCommand({}));
    assert.deepEqual(
      Buckets?.map(({ Name }) => Name),
      ["partners"],
    );
    assert.deepEqual(Owner, { ID: PARTNER, DisplayName: "Partner" });
  });

  it("gives what a form uploads the list that the form says", async () => {
    const Conditions = [{ acl: "public-read" as const }];
    const { url, fields } = await createPresignedPost(main, {
      Bucket,
      Key: "posted",
      Fields: { acl: "public-read" },
      Conditions,
    });
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.append(name, value);
    form.append("file", new Blob(["by form"]), "local.txt");
    assert.equal((await fetch(url, { method: "POST", body: form })).status, 204);
    assert.equal(await (await fetch(`${endpoint}/${Bucket}/posted`)).text(), "by form");
  });

  it("opens an object to another account by a grant, by id, address or group", async () => {
    const { Owner } = await main.send(new GetBucketAclCommand({ Bucket }));
    for (const grant of [
      { GrantRead: `id=${PARTNER}` },
      { GrantRead: 'emailAddress="partner@example.com"' },
      { ACL: "authenticated-read" as const },
    ]) {
      await put(main, "granted", grant);
      assert.equal(await textOf(partner, "granted"), "data");
      await put(main, "granted");
      await denied(textOf(partner, "granted"));
    }
    const Grants: Grant[] = [
      { Grantee: { Type: "CanonicalUser", ID: PARTNER }, Permission: "READ_ACP" },
      {
        Grantee: { Type: "Group", URI: "http://acs.amazonaws.com/groups/global/AllUsers" },
        Permission: "READ",
      },
    ];
    await main.send(new PutObjectAclCommand({ Bucket, Key: "granted", AccessControlPolicy: { Owner, Grants } }));
    const read = await partner.send(new GetObjectAclCommand({ Bucket, Key: "granted" }));
    assert.deepEqual(told(read.Grants), [
      [PARTNER, "READ_ACP"],
      ["http://acs.amazonaws.com/groups/global/AllUsers", "READ"],
    ]);
    assert.equal(await (await fetch(`${endpoint}/${Bucket}/granted`)).text(), "data");
    await main.send(
      new PutPublicAccessBlockCommand({ Bucket, PublicAccessBlockConfiguration: { IgnorePublicAcls: true } }),
    );
    assert.equal((await fetch(`${endpoint}/${Bucket}/granted`)).status, 403);
  });

  it("leaves an object to its writer until the bucket's owner enforces its own", async () => {
    await main.send(new PutBucketAclCommand({ Bucket, GrantWrite: `id=${PARTNER}` }));
    await put(partner, "of-partner");
    const { Owner } = await partner.send(new GetObjectAclCommand({ Bucket, Key: "of-partner" }));
    assert.equal(Owner?.ID, PARTNER);
    await denied(textOf(main, "of-partner"));
    await put(partner, "handed-over", { ACL: "bucket-owner-full-control" });
    assert.equal(await textOf(main, "handed-over"), "data");
    const enforce = new PutBucketOwnershipControlsCommand({
      Bucket,
      OwnershipControls: { Rules: [{ ObjectOwnership: "BucketOwnerEnforced" }] },
    });
    await assert.rejects(main.send(enforce), { name: "InvalidBucketAclWithObjectOwnership" });
    await main.send(new PutBucketAclCommand({ Bucket, ACL: "private" }));
    await main.send(enforce);
    assert.equal(await textOf(main, "of-partner"), "data");
    await assert.rejects(put(main, "public", { ACL: "public-read" }), { name: "AccessControlListNotSupported" });
    await main.send(new DeleteObjectCommand({ Bucket, Key: "of-partner" }));
  });

  it("answers a browser by the rules of the bucket, which only its owner sets", async () => {
    const CORSConfiguration = {
      CORSRules: [{ AllowedOrigins: ["http://*.example.com"], AllowedMethods: ["PUT"], AllowedHeaders: ["*"] }],
    };
    await denied(partner.send(new PutBucketCorsCommand({ Bucket, CORSConfiguration })));
    await main.send(new PutBucketCorsCommand({ Bucket, CORSConfiguration }));
    const { CORSRules } = await main.send(new GetBucketCorsCommand({ Bucket }));
    assert.deepEqual(CORSRules, CORSConfiguration.CORSRules);
    const ask = (origin: string) =>
      fetch(`${endpoint}/${Bucket}/a`, {
        method: "OPTIONS",
        headers: { origin, "access-control-request-method": "PUT", "access-control-request-headers": "content-type" },
      });
    const allowed = await ask("http://app.example.com");
    assert.equal(allowed.status, 200);
    assert.equal(allowed.headers.get("access-control-allow-origin"), "http://app.example.com");
    assert.equal((await ask("http://example.org")).status, 403);
  });

  it("lets another account in by a policy that names it", async () => {
    const Policy = JSON.stringify({
      Version: "2012-10-17",
      Statement: [
        {
          Effect: "Allow",
          Principal: { CanonicalUser: PARTNER },
          Action: ["s3:GetObject", "s3:PutObject"],
          Resource: `arn:aws:s3:::${Bucket}/for-partner/*`,
        },
      ],
    });
    await main.send(new PutBucketPolicyCommand({ Bucket, Policy }));
    await put(partner, "for-partner/a");
    assert.equal(await textOf(partner, "for-partner/a"), "data");
    assert.equal(await textOf(main, "for-partner/a"), "data");
    await denied(put(partner, "elsewhere"));
    await denied(partner.send(new PutBucketPolicyCommand({ Bucket, Policy })));
  });
});
