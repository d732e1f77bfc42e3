// Uploads in parts on S3: how they are cut, and what a killed process leaves behind.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, describe, it } from "node:test";
import {
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { createStore, SmartStorage, type StoreOptions } from "holdfast";

const MIB = 1 << 20;
let folder: string;
let server: SmartStorage;
let client: S3Client;
let options: StoreOptions;
let buckets = 0;
let Bucket: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "holdfast-uploads-"));
  server = await SmartStorage.createAndStart({
    server: { port: 0, address: "127.0.0.1", silent: true },
    storage: { directory: folder },
  });
  const { endpoint, port } = await server.getStorageDescriptor();
  const credentials = { accessKeyId: "a", secretAccessKey: "b" };
  options = { adapter: "s3", endpoint: `http://${endpoint}:${port}`, credentials };
  client = new S3Client({
    endpoint: `http://${endpoint}:${port}`,
    region: "us-east-1",
    credentials,
    forcePathStyle: true,
  });
});
after(async () => {
  client.destroy();
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  buckets += 1;
  Bucket = `bucket-${buckets}`;
  await server.createBucket(Bucket);
  const { prefix: _, ...rest } = options;
  options = { ...rest, bucket: Bucket };
});

async function pendingKeys(): Promise<string[]> {
  const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket }));
  return Uploads.map(({ Key = "" }) => Key);
}

async function noteKeys(): Promise<string[]> {
  const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket, Prefix: ".persist/uploads/" }));
  return Contents.map(({ Key = "" }) => Key);
}

/** Bytes whose length nobody knows beforehand. */
async function* streamOf(bytes: number): AsyncGenerator<Uint8Array> {
  for (let left = bytes; left > 0; left -= MIB) yield new Uint8Array(Math.min(left, MIB)).fill(7);
}

/** A process that uploads `key` without an end, killed once two parts of it have arrived. */
async function killedUpload(key: string): Promise<void> {
  const code = `
    import { createStore } from "holdfast";
    const store = await createStore("x", JSON.parse(process.argv[1]));
    async function* endless() { for (;;) yield new Uint8Array(${MIB}); }
    await store.blobs.put(process.argv[2], endless(), {
      onProgress: ({ loaded }) => { if (loaded >= ${40 * MIB}) process.kill(process.pid, "SIGKILL"); },
    });`;
  const settings = JSON.stringify({ ...options, multipart: { partSize: 5 * MIB, concurrency: 2 } });
  const child = spawn(process.execPath, ["--input-type=module", "-e", code, settings, key]);
  await new Promise((resolve) => child.once("close", resolve));
  assert.equal(child.signalCode, "SIGKILL");
}

describe("uploads in parts", () => {
  const cuts: [what: string, bytes: number, parts: number][] = [
    ["5 MiB of unknown length go in one request", 5 * MIB, 0],
    ["one byte more goes in parts", 5 * MIB + 1, 2],
    ["20 MiB of unknown length go in parts of 8 MiB", 20 * MIB, 3],
  ];
  for (const [what, bytes, parts] of cuts) {
    it(what, async () => {
      await using store = await createStore("x", options);
      server.requests.clear();
      const { size } = await store.blobs.put("a", streamOf(bytes));
      const sent = server.requests.filter(({ key }) => key === "a").map(({ operation }) => operation);
      assert.equal(sent.filter((operation) => operation === "UploadPart").length, parts);
      assert.equal(sent.includes("PutObject"), parts === 0);
      assert.equal(size, bytes);
      const stored = await (await store.blobs.get("a")).bytes();
      assert.equal(stored.length, bytes);
      assert.ok(stored.every((byte) => byte === 7));
      assert.deepEqual([await pendingKeys(), await noteKeys()], [[], []]);
    });
  }

  it("leave nothing behind when their source fails", async () => {
    await using store = await createStore("x", options);
    async function* failing() {
      yield* streamOf(20 * MIB);
      throw new Error("the source broke");
    }
    await assert.rejects(store.blobs.put("a", failing()), /the source broke/);
    assert.deepEqual([await pendingKeys(), await noteKeys()], [[], []]);
    assert.equal(await store.blobs.has("a"), false);
  });

  it("of a process that was killed are gone after the next opening, and nobody else's", async () => {
    await killedUpload("mine");
    const foreign = await client.send(new CreateMultipartUploadCommand({ Bucket, Key: "foreign" }));
    const part = { Bucket, Key: "foreign", UploadId: foreign.UploadId, PartNumber: 1, Body: "x" };
    await client.send(new UploadPartCommand(part));
    assert.deepEqual(await pendingKeys(), ["foreign", "mine"]);
    assert.equal((await noteKeys()).length, 1);
    await using store = await createStore("x", options);
    assert.deepEqual([await pendingKeys(), await noteKeys()], [["foreign"], []]);
    assert.deepEqual(await store.blobs.list(), []);
  });

  it("of another store in the bucket are left to it", async () => {
    options = { ...options, prefix: "one/" };
    await killedUpload("a");
    await using _other = await createStore("x", { ...options, prefix: "two/" });
    assert.deepEqual(await pendingKeys(), ["one/a"]);
    await using _same = await createStore("x", options);
    assert.deepEqual(await pendingKeys(), []);
  });

  it("that are under way in another store of a running process are left alone", async () => {
    await using store = await createStore("x", options);
    let opened: (() => void) | undefined;
    const isUnderWay = new Promise<void>((resolve) => {
      opened = resolve;
    });
    let goOn = () => {};
    const mayGoOn = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    async function* slow() {
      yield* streamOf(20 * MIB);
      opened?.();
      await mayGoOn;
      yield* streamOf(MIB);
    }
    const put = store.blobs.put("a", slow());
    await isUnderWay;
    // The first part may still be on its way.
    while ((await noteKeys()).length === 0) await new Promise(setImmediate);
    const code = `
      import { createStore } from "holdfast";
      const store = await createStore("x", JSON.parse(process.argv[1]));
      await store.close();`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", code, JSON.stringify(options)]);
    await new Promise((resolve) => child.once("close", resolve));
    assert.equal(child.exitCode, 0);
    await using _again = await createStore("x", options);
    assert.deepEqual(await pendingKeys(), ["a"]);
    goOn();
    assert.equal((await put).size, 21 * MIB);
  });

  it("a note that is none does not keep a store from opening, and stays", async () => {
    const Key = ".persist/uploads/what~is~this/x";
    await client.send(new PutObjectCommand({ Bucket, Key, Body: "no note" }));
    await using _store = await createStore("x", options);
    assert.deepEqual(await noteKeys(), [Key]);
  });
});
