import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, describe, it } from "node:test";
import { setTimeout } from "node:timers/promises";
import {
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketLifecycleCommand,
  DeleteObjectCommand,
  GetBucketLifecycleConfigurationCommand,
  GetObjectLegalHoldCommand,
  GetObjectLockConfigurationCommand,
  GetObjectRetentionCommand,
  HeadObjectCommand,
  type LifecycleRule,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutBucketLifecycleConfigurationCommand,
  PutObjectCommand,
  PutObjectLegalHoldCommand,
  PutObjectLockConfigurationCommand,
  PutObjectRetentionCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import { ConfigError, SmartStorage } from "holdfast";
import { clientOf } from "./storage-client.js";

const DAY_MS = 150;

describe("SmartStorage with the AWS SDK: lifecycle and object lock", () => {
  let folder: string;
  let storage: SmartStorage;
  let client: S3Client;
  let Bucket: string;
  let buckets = 0;

  const put = async (Key: string, Body = "body") =>
    (await client.send(new PutObjectCommand({ Bucket, Key, Body }))).VersionId;
  const setRules = (...Rules: LifecycleRule[]) =>
    client.send(new PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration: { Rules } }));
  const keys = async () =>
    ((await client.send(new ListObjectsV2Command({ Bucket }))).Contents ?? []).map(({ Key }) => Key);
  const createBucket = (ObjectLockEnabledForBucket: boolean) =>
    client.send(new CreateBucketCommand({ Bucket, ObjectLockEnabledForBucket }));
  const remove = (Key: string, VersionId?: string, BypassGovernanceRetention?: boolean) =>
    client.send(new DeleteObjectCommand({ Bucket, Key, VersionId, BypassGovernanceRetention }));
  /** Waits until something holds; the test's own limit ends it where it never does. */
  const until = async (holds: () => Promise<boolean>): Promise<void> => {
    while (!(await holds())) await setTimeout(10);
  };
  const rejectsWith = (call: Promise<unknown>, name: string): Promise<void> => assert.rejects(call, { name });

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "holdfast-lifecycle-"));
    storage = await SmartStorage.createAndStart({
      server: { port: 0, address: "127.0.0.1", silent: true },
      storage: { directory: folder },
      lifecycle: { dayLength: DAY_MS },
    });
    client = await clientOf(storage);
  });
  after(async () => {
    client.destroy();
    await storage.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(() => {
    buckets += 1;
    Bucket = `lifecycle-${buckets}`;
  });

  it("lets objects end by themselves, and only those that a rule is about", { timeout: 30_000 }, async () => {
    await createBucket(false);
    await setRules({ ID: "logs", Status: "Enabled", Filter: { Prefix: "logs/" }, Expiration: { Days: 1 } });
    await put("kept");
    await put("logs/a");
    await until(async () => (await keys()).length === 1);
    assert.deepEqual(await keys(), ["kept"]);
    const { Expiration } = await client.send(new HeadObjectCommand({ Bucket, Key: "kept" }));
    assert.equal(Expiration, undefined);
  });

  it("tells when an object ends", async () => {
    await createBucket(false);
    await setRules({ ID: "a b", Status: "Enabled", Filter: {}, Expiration: { Days: 100_000_000 } });
    const { Expiration } = await client.send(new PutObjectCommand({ Bucket, Key: "k", Body: "body" }));
    assert.match(Expiration ?? "", /^expiry-date="\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", rule-id="a%20b"$/);
    assert.equal((await client.send(new HeadObjectCommand({ Bucket, Key: "k" }))).Expiration, Expiration);
  });

  it("ends versions, the marker that is left, and uploads", { timeout: 30_000 }, async () => {
    await createBucket(true);
    await put("k", "1");
    await put("k", "2");
    await client.send(new CreateMultipartUploadCommand({ Bucket, Key: "upload" }));
    await setRules(
      {
        ID: "all",
        Status: "Enabled",
        Filter: {},
        Expiration: { Days: 1 },
        NoncurrentVersionExpiration: { NoncurrentDays: 1 },
      },
      { ID: "uploads", Status: "Enabled", Filter: {}, AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 } },
    );
    await until(async () => {
      const { Versions, DeleteMarkers } = await client.send(new ListObjectVersionsCommand({ Bucket }));
      return Versions === undefined && DeleteMarkers === undefined;
    });
    await until(async () => (await client.send(new ListMultipartUploadsCommand({ Bucket }))).Uploads === undefined);
  });

  it("keeps locked versions whatever the rules say", { timeout: 30_000 }, async () => {
    await createBucket(true);
    const locked = await put("locked");
    await client.send(new PutObjectLegalHoldCommand({ Bucket, Key: "locked", LegalHold: { Status: "ON" } }));
    await put("free");
    await setRules({
      ID: "all",
      Status: "Enabled",
      Filter: {},
      Expiration: { Days: 1 },
      NoncurrentVersionExpiration: { NoncurrentDays: 1 },
    });
    await until(async () => {
      const { Versions, DeleteMarkers } = await client.send(new ListObjectVersionsCommand({ Bucket }));
      return Versions?.length === 1 && DeleteMarkers?.length === 1;
    });
    const { Versions } = await client.send(new ListObjectVersionsCommand({ Bucket }));
    assert.deepEqual(
      Versions?.map(({ Key, VersionId }) => [Key, VersionId]),
      [["locked", locked]],
    );
    await rejectsWith(remove("locked", locked, true), "AccessDenied");
  });

  it("gives rules back, and forgets them", async () => {
    await createBucket(false);
    const get = () => client.send(new GetBucketLifecycleConfigurationCommand({ Bucket }));
    await rejectsWith(get(), "NoSuchLifecycleConfiguration");
    const rules: LifecycleRule[] = [
      {
        ID: "one",
        Status: "Disabled",
        Filter: { And: { Prefix: "p/", Tags: [{ Key: "a", Value: "1" }], ObjectSizeGreaterThan: 5 } },
        Expiration: { Date: new Date("2030-01-01T00:00:00Z") },
      },
      {
        ID: "two",
        Status: "Enabled",
        Filter: { Prefix: "" },
        Transitions: [{ Days: 30, StorageClass: "STANDARD_IA" }],
        NoncurrentVersionExpiration: { NoncurrentDays: 3, NewerNoncurrentVersions: 2 },
      },
    ];
    await setRules(...rules);
    assert.deepEqual((await get()).Rules, rules);
    await client.send(new DeleteBucketLifecycleCommand({ Bucket }));
    await rejectsWith(get(), "NoSuchLifecycleConfiguration");
    await rejectsWith(setRules({ Status: "Enabled", Filter: {} }), "InvalidRequest");
  });

  it("makes a pass when it is told to, with real days too", async () => {
    const directory = mkdtempSync(join(tmpdir(), "holdfast-lifecycle-"));
    const config = { server: { port: 0, address: "127.0.0.1", silent: true }, storage: { directory } };
    const other = await SmartStorage.createAndStart({ ...config, buckets: ["bkt"] });
    const { endpoint, port } = await other.getStorageDescriptor();
    const url = `http://${endpoint}:${port}/bkt`;
    const date = "<Expiration><Date>2020-01-01T00:00:00Z</Date></Expiration>";
    const body = `<LifecycleConfiguration><Rule><Filter/><Status>Enabled</Status>${date}</Rule></LifecycleConfiguration>`;
    assert.equal((await fetch(`${url}/k`, { method: "PUT", body: "x" })).status, 200);
    assert.equal((await fetch(`${url}?lifecycle`, { method: "PUT", body })).status, 200);
    const idle = { expiredObjects: 0, removedVersions: 0, removedMarkers: 0, abortedUploads: 0 };
    assert.deepEqual(await other.runLifecycle(), { ...idle, expiredObjects: 1 });
    assert.deepEqual(await other.runLifecycle(), idle);
    await other.stop();
    await assert.rejects(other.runLifecycle(), { code: "NOT_RUNNING" });
    rmSync(directory, { recursive: true, force: true });
  });

  it("refuses a day that can't be", () => {
    for (const dayLength of [0, 9, 1.5, 86_400_001, "1"]) {
      const config = { lifecycle: { dayLength } } as ConstructorParameters<typeof SmartStorage>[0];
      assert.throws(
        () => new SmartStorage(config),
        (error) => error instanceof ConfigError && error.details.setting === "lifecycle.dayLength",
      );
    }
  });

  it("locks versions by a default, by name and by a hold", async () => {
    await createBucket(true);
    const of = { Bucket, Key: "k" };
    const DefaultRetention = { Mode: "GOVERNANCE", Days: 1 } as const;
    const ObjectLockConfiguration = { ObjectLockEnabled: "Enabled", Rule: { DefaultRetention } } as const;
    await client.send(new PutObjectLockConfigurationCommand({ Bucket, ObjectLockConfiguration }));
    const got = await client.send(new GetObjectLockConfigurationCommand({ Bucket }));
    assert.deepEqual(got.ObjectLockConfiguration, ObjectLockConfiguration);
    const VersionId = await put("k");
    const head = await client.send(new HeadObjectCommand(of));
    assert.equal(head.ObjectLockMode, "GOVERNANCE");
    const days = ((head.ObjectLockRetainUntilDate?.getTime() ?? 0) - Date.now()) / 86_400_000;
    assert.ok(days > 0.9 && days <= 1, `${days}`);
    await rejectsWith(remove("k", VersionId), "AccessDenied");

    const RetainUntilDate = new Date(Date.now() + 2 * 86_400_000);
    const Retention = { Mode: "GOVERNANCE", RetainUntilDate } as const;
    await client.send(new PutObjectRetentionCommand({ ...of, Retention }));
    assert.deepEqual((await client.send(new GetObjectRetentionCommand(of))).Retention?.Mode, "GOVERNANCE");
    await client.send(new PutObjectLegalHoldCommand({ ...of, LegalHold: { Status: "ON" } }));
    assert.deepEqual((await client.send(new GetObjectLegalHoldCommand(of))).LegalHold, { Status: "ON" });
    await rejectsWith(remove("k", VersionId, true), "AccessDenied");
    await client.send(new PutObjectLegalHoldCommand({ ...of, LegalHold: { Status: "OFF" } }));
    await remove("k", VersionId, true);
    await rejectsWith(client.send(new HeadObjectCommand(of)), "NotFound");
  });
});
