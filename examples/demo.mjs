// The main job of each door, on real input, step by step: `npm run demo`.
// Every step checks what it says; the first that is wrong ends the demo with a message and exit code 1.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { SingleBar } from "cli-progress";
import { createS3DataProvider, createStore, SmartStorage } from "holdfast";
import { S3Level } from "holdfast/level";
import { describeClass, Entity, Fields, Remult } from "remult";

const MIB = 1024 * 1024;
const folder = mkdtempSync(join(tmpdir(), "holdfast-demo-"));
const started = performance.now();

/** Runs one step and prints what happened and how long it took. */
async function step(name, work) {
  const begun = performance.now();
  const happened = await work();
  const took = `${(performance.now() - begun).toFixed(0)} ms`;
  console.log(`  ✓ ${name.padEnd(44)} ${String(happened).padEnd(52)} ${took.padStart(8)}`);
}

function heading(text) {
  console.log(`\n${text}`);
}

/** A progress bar on a terminal, nothing in a pipe. */
function progressBar(label, total) {
  const bar = new SingleBar({ format: `    ${label} {bar} {percentage}%`, hideCursor: true, clearOnComplete: true });
  bar.start(total, 0);
  return bar;
}

const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex").slice(0, 12);

heading("1. SmartStorage: an S3 server in this process");
const storage = await SmartStorage.createAndStart({
  server: { port: 0, address: "127.0.0.1", silent: true },
  storage: { directory: join(folder, "buckets"), cleanSlate: true },
  auth: { enabled: true, credentials: [{ accessKeyId: "demo", secretAccessKey: "demo-secret" }] },
});
const { endpoint: host, port, accessKey, accessSecret } = await storage.getStorageDescriptor();
const endpoint = `http://${host}:${port}`;
const credentials = { accessKeyId: accessKey, secretAccessKey: accessSecret };
const client = new S3Client({ endpoint, region: "us-east-1", credentials, forcePathStyle: true });

async function serverDoor() {
  const Bucket = "demo";
  const large = randomBytes(20 * MIB);
  await step("make a bucket", async () => `${(await storage.createBucket(Bucket)).name} at ${endpoint}`);
  await step("put a small object", async () => {
    const put = new PutObjectCommand({ Bucket, Key: "hello.txt", Body: "Hello, holdfast!", ContentType: "text/plain" });
    return `ETag ${(await client.send(put)).ETag}`;
  });
  await step("upload 20 MiB in parts", async () => {
    const bar = progressBar("uploading", large.length);
    const params = { Bucket, Key: "large/20mib.bin", Body: large };
    const upload = new Upload({ client, params, partSize: 5 * MIB, queueSize: 4 });
    upload.on("httpUploadProgress", ({ loaded }) => bar.update(loaded ?? 0));
    const { ETag } = await upload.done();
    bar.stop();
    return `ETag ${ETag}`;
  });
  await step("get it back whole", async () => {
    const { Body } = await client.send(new GetObjectCommand({ Bucket, Key: "large/20mib.bin" }));
    const bytes = await Body.transformToByteArray();
    assert.equal(sha256(bytes), sha256(large), "the 20 MiB object came back changed");
    return `${bytes.length / MIB} MiB, SHA-256 ${sha256(bytes)}… as sent`;
  });
  await step("get a range of it", async () => {
    const range = { Bucket, Key: "large/20mib.bin", Range: "bytes=10485760-10485859" };
    const { Body, ContentRange } = await client.send(new GetObjectCommand(range));
    assert.deepEqual(Buffer.from(await Body.transformToByteArray()), large.subarray(10485760, 10485860));
    return ContentRange;
  });
  await step("list the bucket as folders", async () => {
    const page = await client.send(new ListObjectsV2Command({ Bucket, Delimiter: "/" }));
    const names = [...(page.Contents ?? []).map((one) => one.Key), ...(page.CommonPrefixes ?? []).map((p) => p.Prefix)];
    assert.deepEqual(names, ["hello.txt", "large/"]);
    return names.join(", ");
  });
  await step("fetch a presigned link, without credentials", async () => {
    const url = await getSignedUrl(client, new GetObjectCommand({ Bucket, Key: "hello.txt" }), { expiresIn: 60 });
    const text = await (await fetch(url)).text();
    assert.equal(text, "Hello, holdfast!");
    return `"${text}", ${(await fetch(`${endpoint}/demo/hello.txt`)).status} without the signature`;
  });
}

/** The same code on any adapter. */
async function storeDoor(store) {
  await step("records", async () => {
    const first = await store.records.put("users/ada", { name: "Ada", born: new Date("1815-12-10") });
    await store.records.put("users/grace", { name: "Grace", born: new Date("1906-12-09") });
    await store.records.put("users/ada", { ...first.value, likes: ["poetry"] }, { ifVersion: first.version });
    const names = (await store.records.list({ prefix: "users/" })).map((record) => record.value.name);
    const stale = await store.records.put("users/ada", {}, { ifVersion: 1 }).catch((error) => error.name);
    assert.deepEqual([names, stale], [["Ada", "Grace"], "ConflictError"]);
    return `${names.join(", ")}; a stale write is a ${stale}`;
  });
  await step("kv", async () => {
    await store.kv.set("theme", "dark");
    const visits = [await store.kv.increment("visits", 1), await store.kv.increment("visits", 41)];
    assert.deepEqual([await store.kv.get("theme"), visits], ["dark", [1, 42]]);
    return `theme = ${await store.kv.get("theme")}, visits = ${visits[1]}`;
  });
  await step("blobs", async () => {
    const bytes = randomBytes(6 * MIB);
    await store.blobs.put("backups/6mib.bin", bytes, { contentType: "application/octet-stream" });
    const blob = await store.blobs.get("backups/6mib.bin");
    assert.equal(sha256(await blob.bytes()), sha256(bytes), "the blob came back changed");
    return `${blob.size / MIB} MiB, SHA-256 ${sha256(bytes)}… as put`;
  });
  await step("events", async () => {
    for (const type of ["opened", "paid", "shipped"]) await store.events.append("order-1", { type });
    const types = (await store.events.list({ stream: "order-1" })).map((event) => event.payload.type);
    assert.deepEqual(types, ["opened", "paid", "shipped"]);
    return types.join(" → ");
  });
  await store.close();
}

async function storeDoors() {
  heading("2. createStore on SQLite");
  await storeDoor(await createStore({ name: "demo", adapter: "sqlite", path: join(folder, "demo.db") }));
  heading("   createStore on S3: the same code, the server of step 1");
  await storage.createBucket("store");
  const s3 = { bucket: "store", endpoint, forcePathStyle: true, credentials };
  await storeDoor(await createStore({ name: "demo", adapter: "s3", s3 }));
}

async function remultDoor() {
  heading("3. createS3DataProvider: Remult on SQLite, replicated to S3");
  await storage.createBucket("replica");
  class Task {}
  describeClass(Task, Entity("tasks", { allowApiCrud: true }), {
    id: Fields.id(),
    title: Fields.string(),
    done: Fields.boolean(),
  });
  const options = {
    file: join(folder, "remult", "tasks.sqlite"),
    s3: { bucket: "replica", databaseName: "tasks", endpoint, forcePathStyle: true, credentials },
    sync: { mode: "sync" },
  };
  /** Opens the database, as a server would at its start. */
  const open = async () => {
    const provider = await createS3DataProvider(options)();
    await provider.ensureSchema?.([new Remult(provider).repo(Task).metadata]);
    return { provider, tasks: new Remult(provider).repo(Task) };
  };
  let kept = [];
  await step("create, update, query; each write on S3", async () => {
    const { provider, tasks } = await open();
    await tasks.insert(["Buy milk", "Write code", "Sleep"].map((title) => ({ title, done: false })));
    const code = await tasks.findFirst({ title: "Write code" });
    await tasks.update(code.id, { done: true });
    kept = await tasks.find({ orderBy: { title: "asc" } });
    assert.equal(await tasks.count({ done: true }), 1);
    await provider.end();
    return `${kept.length} tasks, 1 done`;
  });
  await step("delete the local file, open again: restored", async () => {
    rmSync(join(folder, "remult"), { recursive: true, force: true });
    const { provider, tasks } = await open();
    const restored = await tasks.find({ orderBy: { title: "asc" } });
    assert.deepEqual(
      restored.map((task) => ({ ...task })),
      kept.map((task) => ({ ...task })),
    );
    await provider.end();
    return restored.map((task) => `${task.title}${task.done ? " ✔" : ""}`).join(", ");
  });
}

async function levelDoor() {
  heading("4. S3Level: an ordered key-value database in a bucket");
  await storage.createBucket("level");
  const settings = { endpoint, region: "us-east-1", forcePathStyle: true, credentials };
  const db = new S3Level("level/demo", settings);
  await step("batch of 100 puts", async () => {
    const puts = Array.from({ length: 100 }, (_, n) => ({
      type: "put",
      key: `user/${String(n).padStart(3, "0")}`,
      value: `value ${n}`,
    }));
    await db.batch(puts);
    return `${puts.length} keys`;
  });
  await step("scan a range, forward and backward", async () => {
    const forward = await db.iterator({ gte: "user/010", lt: "user/013" }).all();
    assert.deepEqual(
      forward,
      [10, 11, 12].map((n) => [`user/0${n}`, `value ${n}`]),
    );
    const last = await db.keys({ reverse: true, limit: 2 }).all();
    assert.deepEqual(last, ["user/099", "user/098"]);
    return `${forward.map(([key]) => key).join(", ")}; last: ${last.join(", ")}`;
  });
  await db.close();
}

try {
  await serverDoor();
  await storeDoors();
  await remultDoor();
  await levelDoor();
  await storage.stop();
  console.log(`\nAll four doors work. ${((performance.now() - started) / 1000).toFixed(1)} s in all.`);
} catch (error) {
  console.error("\nThe demo failed, and what it printed last says where:\n", error);
  process.exitCode = 1;
  await storage.stop().catch(() => undefined);
} finally {
  client.destroy();
  rmSync(folder, { recursive: true, force: true });
}
