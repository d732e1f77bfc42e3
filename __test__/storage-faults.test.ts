import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { GetObjectCommand, HeadObjectCommand, PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { type IStorageFault, SmartStorage } from "holdfast";
import { clientOf } from "./storage-client.js";

const Bucket = "faults";

describe("SmartStorage's faults, as the AWS SDK meets them", () => {
  let storage: SmartStorage;
  let client: S3Client;
  const put = (Key: string, Body: string | Uint8Array) => client.send(new PutObjectCommand({ Bucket, Key, Body }));
  const get = async (Key: string) =>
    (await (await client.send(new GetObjectCommand({ Bucket, Key }))).Body?.transformToByteArray()) as Uint8Array;

  before(async () => {
    storage = await SmartStorage.createAndStart({
      server: { port: 0, address: "127.0.0.1", silent: true },
      storage: { inMemory: true },
      buckets: [Bucket],
    });
    client = await clientOf(storage);
  });
  afterEach(() => storage.faults.clear());
  after(async () => {
    client.destroy();
    await storage.stop();
  });

  it("let a put cut in its body not happen, and one cut after it happen", async () => {
    await put("a", "old");
    storage.faults.add({ operation: "PutObject", cut: "request", count: 1 });
    await assert.rejects(put("a", Buffer.alloc(300_000)));
    assert.equal(Buffer.from(await get("a")).toString(), "old");
    storage.faults.add({ operation: "PutObject", cut: "after", count: 1 });
    await assert.rejects(put("a", "new"));
    assert.equal(Buffer.from(await get("a")).toString(), "new");
  });

  it("break an answer off, and a client that reads it to the end notices", async () => {
    await put("b", Buffer.alloc(500_000, "b"));
    storage.faults.add({ operation: "GetObject", cut: "response", atByte: 100_000, count: 1 });
    await assert.rejects(get("b"));
    assert.equal((await get("b")).length, 500_000);
  });

  it("corrupt a byte, and the SDK's checksum finds it", async () => {
    await put("c", Buffer.alloc(1000, "c"));
    storage.faults.add({ operation: "GetObject", corrupt: true, count: 1 });
    await assert.rejects(get("c"), /[Cc]hecksum/);
    assert.equal((await get("c")).length, 1000);
  });

  it("meet the same requests again with the same seed", async () => {
    const met = async (seed: number): Promise<boolean[]> => {
      storage.faults.add({ operation: "HeadObject", error: "SlowDown", probability: 0.5, seed });
      const outcomes: boolean[] = [];
      for (let round = 0; round < 16; round += 1) {
        const head = client.send(new HeadObjectCommand({ Bucket, Key: "c" }));
        outcomes.push(
          await head.then(
            () => false,
            () => true,
          ),
        );
      }
      storage.faults.clear();
      return outcomes;
    };
    const first = await met(42);
    assert.deepEqual(await met(42), first);
    assert.ok(first.includes(true) && first.includes(false));
  });

  it("count what they met and are removed alone", async () => {
    const slow = storage.faults.add({ operation: "GetObject", error: "SlowDown" });
    const denied = storage.faults.add({ operation: "PutObject", error: "AccessDenied" });
    await assert.rejects(get("c"), { name: "SlowDown" });
    await assert.rejects(get("c"), { name: "SlowDown" });
    assert.deepEqual([slow.met, denied.met], [2, 0]);
    assert.equal(slow.remove(), true);
    assert.equal(slow.remove(), false);
    assert.equal((await get("c")).length, 1000);
    await assert.rejects(put("c", "x"), { name: "AccessDenied" });
  });

  it("are refused by the field that can't be", () => {
    const wrong: [IStorageFault, string][] = [
      [{ cut: "sometimes" as never }, "cut"],
      [{ error: "Teapot" }, "error"],
      [{ delayMs: -1 }, "delayMs"],
      [{ bytesPerSecond: 0 }, "bytesPerSecond"],
      [{ bytesPerSecond: 1.5 }, "bytesPerSecond"],
      [{ error: "SlowDown", seed: 1 }, "seed"],
      [{ error: "SlowDown", atByte: 1 }, "atByte"],
      [{ error: "SlowDown", probability: "1" as never }, "probability"],
      [{ eror: "SlowDown" } as never, "eror"],
      [{}, "error"],
    ];
    for (const [fault, field] of wrong) {
      assert.throws(() => storage.faults.add(fault), { code: "INVALID_FAULT", details: { field } });
    }
  });
});
