import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { AbortedError, ConflictError, NotFoundError } from "../../errors.js";
import { define } from "./suite.js";

const it = (name: string, run: Parameters<typeof define>[2], needs?: Parameters<typeof define>[3]) =>
  define("blobs", name, run, needs);

/** Bytes that differ from chunk to chunk. */
function pattern(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => at ^ (at >> 8) ^ (at >> 16));
}

it("every kind of source is put and read back exactly", async ({ store }) => {
  const bytes = pattern(700_000);
  const pieces = () => [bytes.subarray(0, 10), bytes.subarray(10, 300_000), bytes.subarray(300_000)];
  async function* generated() {
    yield* pieces();
  }
  const sources = {
    buffer: Buffer.from(bytes),
    array: bytes,
    arrayBuffer: bytes.slice().buffer,
    blob: new Blob([bytes]),
    web: new Blob([bytes]).stream(),
    node: Readable.from(pieces()),
    generated: generated(),
  };
  for (const [name, source] of Object.entries(sources)) {
    assert.equal((await store.blobs.put(name, source)).size, bytes.length, name);
    const blob = await store.blobs.get(name);
    assert.ok(Buffer.from(bytes).equals(await blob.bytes()), name);
  }
});

it("text and JSON come back, with their media type", async ({ store }) => {
  await store.blobs.put("a.txt", "héllo");
  const text = await store.blobs.get("a.txt");
  assert.deepEqual([await text.text(), text.contentType], ["héllo", "text/plain; charset=utf-8"]);
  await store.blobs.put("a.json", JSON.stringify({ a: [1] }), { contentType: "application/json" });
  const json = await store.blobs.get("a.json");
  assert.deepEqual([await json.json(), json.contentType], [{ a: [1] }, "application/json"]);
});

it("a blob of several parts is read back exactly", async ({ store }) => {
  const bytes = pattern(12 * 1024 * 1024 + 3);
  await store.blobs.put("large", bytes);
  assert.ok(Buffer.from(bytes).equals(await (await store.blobs.get("large")).bytes()));
});

it("a stream gives the bytes as they are wanted, and can be left early", async ({ store }) => {
  const bytes = pattern(1_500_000);
  await store.blobs.put("a", bytes);
  const chunks: Uint8Array[] = [];
  for await (const chunk of (await store.blobs.get("a")).stream()) chunks.push(chunk);
  assert.ok(Buffer.concat(chunks).equals(Buffer.from(bytes)));
  for await (const _ of (await store.blobs.get("a")).stream()) break;
});

it("a blob is read once", async ({ store }) => {
  await store.blobs.put("a", "x");
  const blob = await store.blobs.get("a");
  await blob.text();
  await assert.rejects(blob.text(), { code: "BLOB_TAKEN" });
});

it("a range gives its bytes, the last byte included", async ({ store }) => {
  await store.blobs.put("a", "0123456789");
  const text = async (range: { start: number; end?: number } | { last: number }) =>
    (await store.blobs.get("a", { range })).text();
  assert.deepEqual(
    [await text({ start: 2, end: 4 }), await text({ start: 8 }), await text({ last: 3 })],
    ["234", "89", "789"],
  );
  await assert.rejects(text({ start: 10 }), { code: "INVALID_RANGE" });
  assert.equal((await store.blobs.get("a", { range: { start: 5 } })).size, 10);
});

it("what is not there is a NotFoundError for get and copy, and undefined for head", async ({ store }) => {
  await assert.rejects(store.blobs.get("x"), { name: "NotFoundError", code: "BLOB_NOT_FOUND" });
  await assert.rejects(store.blobs.copy("x", "y"), NotFoundError);
  assert.equal(await store.blobs.head("x"), undefined);
  assert.equal(await store.blobs.has("x"), false);
});

it("head knows size, ETag, media type, metadata and time", async ({ store }) => {
  const put = await store.blobs.put("a", "hello", { contentType: "image/png", metadata: { owner: "Ada" } });
  const head = await store.blobs.head("a");
  assert.deepEqual(
    [head?.size, head?.contentType, head?.metadata, head?.etag],
    [5, "image/png", { owner: "Ada" }, put.etag],
  );
  assert.ok(Math.abs((head?.updatedAt.getTime() ?? 0) - Date.now()) < 60_000);
});

it("ifNoneMatch and ifMatch guard a blob", async ({ store }) => {
  const first = await store.blobs.put("a", "1", { ifNoneMatch: "*" });
  await assert.rejects(store.blobs.put("a", "2", { ifNoneMatch: "*" }), ConflictError);
  await store.blobs.put("a", "2", { ifMatch: first.etag });
  await assert.rejects(store.blobs.put("a", "3", { ifMatch: first.etag }), { code: "BLOB_CHANGED" });
  assert.equal(await (await store.blobs.get("a")).text(), "2");
});

it("an aborted upload leaves nothing, and progress was heard", async ({ store }) => {
  const stop = new AbortController();
  const heard: number[] = [];
  const onProgress = ({ loaded, total }: { loaded: number; total?: number }) => {
    heard.push(loaded);
    assert.equal(total, 3 << 20);
    if (loaded >= 1 << 20) stop.abort(new Error("enough"));
  };
  const put = store.blobs.put("a", new Uint8Array(3 << 20), { onProgress, signal: stop.signal });
  const error = await put.catch((error: unknown) => error);
  assert.ok(error instanceof AbortedError && error.code === "ABORTED");
  assert.deepEqual(heard, [1 << 20]);
  assert.equal(await store.blobs.has("a"), false);
});

it("a source that fails leaves nothing, and its error comes through as it is", async ({ store }) => {
  const mine = new Error("disk on fire");
  async function* broken() {
    yield new Uint8Array(600_000);
    throw mine;
  }
  await assert.rejects(store.blobs.put("a", broken()), mine);
  assert.equal(await store.blobs.has("a"), false);
});

it("delete and deleteMany say what was there", async ({ store }) => {
  for (const key of ["a", "d/1", "d/2", "e"]) await store.blobs.put(key, key);
  assert.deepEqual([await store.blobs.delete("a"), await store.blobs.delete("a")], [true, false]);
  assert.equal(await store.blobs.deleteMany({ prefix: "d/" }), 2);
  assert.equal(await store.blobs.deleteMany(["e", "x"]), 1);
});

it("a copy keeps content, media type and metadata", async ({ store }) => {
  await store.blobs.put("a", "hello", { contentType: "image/png", metadata: { owner: "Ada" } });
  assert.equal((await store.blobs.copy("a", "b/c")).size, 5);
  await store.blobs.delete("a");
  const copy = await store.blobs.get("b/c");
  assert.deepEqual([await copy.text(), copy.contentType, copy.metadata], ["hello", "image/png", { owner: "Ada" }]);
});

it("a list is in order, in pages, and folds folders", async ({ store }) => {
  for (const key of ["a/1", "a/2", "b", "c/d/1", "c/e"]) await store.blobs.put(key, "x");
  assert.deepEqual(
    (await store.blobs.list()).map(({ key }) => key),
    ["a/1", "a/2", "b", "c/d/1", "c/e"],
  );
  assert.deepEqual(
    (await store.blobs.list({ prefix: "c/", reverse: true })).map(({ key }) => key),
    ["c/e", "c/d/1"],
  );
  const folder = await store.blobs.list({ delimiter: "/" }).page();
  assert.deepEqual([folder.items.map(({ key }) => key), folder.prefixes], [["b"], ["a/", "c/"]]);
  const first = await store.blobs.list({ limit: 2 }).page();
  const rest = await store.blobs.list({ ...(first.cursor && { cursor: first.cursor }) });
  assert.deepEqual(
    rest.map(({ key, size }) => [key, size]),
    [
      ["b", 1],
      ["c/d/1", 1],
      ["c/e", 1],
    ],
  );
});

it("a folder is listed only where a key of the range lies in it", async ({ store }) => {
  for (const key of ["a/b/c", "a/b/d", "c/1", "c/3"]) await store.blobs.put(key, "x");
  const folders = async (start: string, end: string) =>
    (await store.blobs.list({ delimiter: "/", start, end }).page()).prefixes;
  assert.deepEqual(await folders("a", "a/b"), []);
  assert.deepEqual(await folders("a", "a/b/d"), ["a/"]);
  assert.deepEqual(await folders("c/2", "d"), ["c/"]);
  assert.deepEqual(await folders("c/4", "d"), []);
  assert.deepEqual(await folders("c/2", "c/3"), []);
});

it("presign gives a URL that works without credentials, or is a CapabilityError", async ({ store }) => {
  await store.blobs.put("a b.txt", "hello");
  if (!store.capabilities.presign) {
    await assert.rejects(store.blobs.presign("a b.txt"), { name: "CapabilityError", code: "NOT_SUPPORTED" });
    return;
  }
  const got = await fetch(await store.blobs.presign("a b.txt", { expiresIn: 60 }));
  assert.deepEqual([got.status, await got.text()], [200, "hello"]);
  const put = await fetch(await store.blobs.presign("new", { method: "PUT" }), { method: "PUT", body: "fresh" });
  assert.equal(put.status, 200);
  assert.equal(await (await store.blobs.get("new")).text(), "fresh");
});
