// What bounds a store on SQLite and S3: long readers, full disks, endpoints that can do less, memory.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { createStore, type PersistError, type S3Options } from "holdfast";
import { freshBucket } from "./conformance/adapters.js";
import { script } from "./store-scripts.js";

const MIB = 1 << 20;
let folder: string;
before(() => {
  folder = mkdtempSync(join(tmpdir(), "holdfast-limits-"));
});
after(() => rmSync(folder, { recursive: true, force: true }));

describe("createStore on SQLite", () => {
  it("keeps its write-ahead log short while somebody reads a list for long", async () => {
    const path = join(folder, "wal.db");
    await using store = await createStore("wal", { path });
    await store.kv.setMany(Array.from({ length: 2000 }, (_, n) => ({ key: `k${n}`, value: n })));
    const reader = store.kv.list()[Symbol.asyncIterator]();
    await reader.next();
    const value = "x".repeat(10_000);
    let highest = 0;
    for (let round = 0; round < 60; round += 1) {
      await store.kv.setMany(Array.from({ length: 100 }, (_, n) => ({ key: `big${n}`, value: value + round })));
      highest = Math.max(highest, statSync(`${path}-wal`).size);
      await reader.next();
    }
    // 60 MB were written; each page of a list is a transaction of its own, so none holds the log up.
    assert.ok(highest < 16 * MIB, `the log grew to ${highest} bytes`);
    let rest = 0;
    for (let item = await reader.next(); item.done !== true; item = await reader.next()) rest += 1;
    assert.ok(rest > 1000);
  });

  it("says DISK_FULL when it is, keeps what it acknowledged, and works on when there is room again", async (context) => {
    const disk = join(folder, "disk");
    execFileSync("mkdir", [disk]);
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=6m", "tmpfs", disk], { stdio: "pipe" });
    } catch {
      return context.skip("a small disk can only be mounted by root");
    }
    try {
      const filler = join(disk, "filler");
      writeFileSync(filler, Buffer.alloc(3 * MIB));
      await using store = await createStore("full", { path: join(disk, "full.db"), synchronous: "full" });
      let acknowledged = 0;
      let failure: unknown;
      while (failure === undefined) {
        try {
          await store.kv.set(`k${acknowledged}`, "x".repeat(20_000));
          acknowledged += 1;
        } catch (error) {
          failure = error;
        }
      }
      const { name, code } = failure as PersistError;
      assert.deepEqual([name, code], ["IoError", "DISK_FULL"]);
      await assert.rejects(store.blobs.put("b", Buffer.alloc(5 * MIB)), { code: "DISK_FULL" });
      assert.ok(acknowledged > 0);
      assert.equal(await store.kv.count(), acknowledged);
      rmSync(filler);
      await store.kv.set("after", 2);
      await store.blobs.put("b", Buffer.alloc(MIB));
      assert.equal(await store.kv.get("after"), 2);
    } finally {
      execFileSync("umount", [disk]);
    }
  });
});

/** An endpoint in front of the server that refuses checksums behind the body, as older servers do. */
async function withoutTrailers(endpoint: string): Promise<{ server: Server; endpoint: string; refused: () => number }> {
  const target = new URL(endpoint);
  let refused = 0;
  const forward = (incoming: IncomingMessage, answer: ServerResponse) => {
    if (/TRAILER/.test(String(incoming.headers["x-amz-content-sha256"])) || incoming.headers["x-amz-trailer"]) {
      refused += 1;
      incoming.resume();
      answer.writeHead(501, { "content-type": "application/xml" });
      answer.end("<Error><Code>NotImplemented</Code><Message>A header is not implemented.</Message></Error>");
      return;
    }
    const { method, url: path, headers } = incoming;
    const onward = request({ host: target.hostname, port: target.port, method, path, headers }, (reply) => {
      answer.writeHead(reply.statusCode ?? 500, reply.headers);
      reply.pipe(answer);
    });
    onward.on("error", () => answer.destroy());
    incoming.pipe(onward);
  };
  const server = createServer(forward).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  return { server, endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, refused: () => refused };
}

describe("createStore on S3", () => {
  it("works with an endpoint that refuses checksums behind the body", async () => {
    const bucket = await freshBucket();
    const { server, endpoint, refused } = await withoutTrailers(bucket.endpoint as string);
    try {
      // Signed for the host of the endpoint in between.
      await using store = await createStore("plain", { adapter: "s3", s3: { ...bucket, endpoint } });
      const bytes = Buffer.alloc(12 * MIB, 7);
      await store.blobs.put("large", bytes);
      await store.records.put("a", { n: 1 });
      await store.events.append("s", 1);
      assert.ok(Buffer.from(await (await store.blobs.get("large")).bytes()).equals(bytes));
      assert.deepEqual((await store.records.get("a")).value, { n: 1 });
      assert.equal(refused(), 0, "none was sent");
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  const isLong = process.env.HOLDFAST_LONG !== undefined;
  for (const [where, options, total] of [
    ["S3", async (): Promise<S3Options> => freshBucket(), isLong ? 5120 : 512],
    ["SQLite", undefined, isLong ? 2048 : 512],
  ] as const) {
    it(`streams ${total} MiB to ${where} and back in bounded memory`, async () => {
      const store =
        options === undefined ? { path: join(folder, "large.db") } : { adapter: "s3" as const, s3: await options() };
      const output = await script(
        `import { createHash } from "node:crypto";
         const store = await createStore("large", options);
         const [MIB, total] = [1 << 20, ${total}];
         let highest = 0;
         const look = () => { highest = Math.max(highest, process.memoryUsage().rss); };
         const chunk = Buffer.allocUnsafe(MIB);
         for (let at = 0; at < MIB; at += 1) chunk[at] = (at * 31) & 255;
         const hash = createHash("sha256");
         async function* source() {
           for (let n = 0; n < total; n += 1) {
             const next = Buffer.from(chunk);
             next.writeUInt32LE(n, 0);
             hash.update(next);
             look();
             yield next;
           }
         }
         await store.kv.set("warm", 1);
         const before = process.memoryUsage().rss;
         await store.blobs.put("large", source());
         const back = createHash("sha256");
         for await (const part of (await store.blobs.get("large")).stream()) { back.update(part); look(); }
         const { size } = await store.blobs.head("large");
         await store.close();
         console.log(JSON.stringify({ size, sent: hash.digest("hex"), got: back.digest("hex"), grown: highest - before }));`,
        store,
      );
      const { size, sent, got, grown } = JSON.parse(output) as {
        size: number;
        sent: string;
        got: string;
        grown: number;
      };
      assert.deepEqual([size, got], [total * MIB, sent]);
      // 8 MiB parts, 4 at once and one that fills; the rest is what Node itself keeps of dead buffers.
      assert.ok(grown < 160 * MIB, `memory grew by ${grown / MIB} MiB`);
    });
  }
});
