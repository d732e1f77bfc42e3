import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { resolve } from "node:path";
import { describe, it } from "node:test";
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { S3Level, type S3LevelOptions } from "holdfast/level";
import { refusal } from "./refusal.mts";
import { levelServer } from "./server.mts";

const { s3, environment, location } = await levelServer();
const client = new S3Client({ ...s3, region: "us-east-1", forcePathStyle: true });

/** An open database of layout "objects" at a new location. */
async function openNew(options: S3LevelOptions = {}): Promise<S3Level> {
  const db = new S3Level(location(), { s3, layout: "objects", ...options });
  await db.open();
  return db;
}

/** The folder of a location in the bucket. */
function folderOf({ location }: { location: string }): string {
  return location.slice(location.indexOf("/") + 1);
}

/** How many requests of a kind a piece of work takes. */
async function requests(db: S3Level, work: () => Promise<unknown>): Promise<Record<string, number>> {
  const before = db.stats();
  await work();
  const spent = Object.entries(db.stats()).map(([kind, count]): [string, number] => [
    kind,
    count - (before[kind] ?? 0),
  ]);
  return Object.fromEntries(spent.filter(([, count]) => count > 0));
}

describe("S3Level's layout", () => {
  it("is a tree with snapshots at an empty location, and is found again", async () => {
    const db = new S3Level(location(), { s3 });
    await db.put("a", "1");
    assert.deepEqual([db.supports.implicitSnapshots, db.supports.explicitSnapshots], [true, true]);
    await db.close();
    assert.equal(await refusal(db.location, { s3, layout: "objects" }), "LEVEL_LAYOUT_MISMATCH");
    const again = new S3Level(db.location, { s3, createIfMissing: false });
    assert.deepEqual(await again.iterator().all(), [["a", "1"]]);
    await again.close();
  });

  it("is objects, without snapshots, where a key format is given", async () => {
    const db = new S3Level(location(), { s3, keyFormat: "utf8" });
    await db.open();
    assert.deepEqual([db.supports.implicitSnapshots, db.supports.explicitSnapshots], [false, false]);
    assert.throws(() => db.snapshot(), { code: "LEVEL_NOT_SUPPORTED" });
    await db.close();
  });

  it("is not made by a reader", async () => {
    assert.equal(await refusal(location(), { s3, readOnly: true }), "LEVEL_DATABASE_NOT_FOUND");
  });
});

describe("S3Level's data", () => {
  it("is one object a key under the folder, with the value's bytes", async () => {
    const db = await openNew();
    await db.put("a//é 🦀", "text");
    await db.put("bytes", Buffer.from([0xff, 0x00, 0xfe]), { valueEncoding: "buffer" });
    const get = async (key: string) => {
      const object = await client.send(new GetObjectCommand({ Bucket: "level", Key: `${folderOf(db)}/${key}` }));
      return Buffer.from((await object.Body?.transformToByteArray()) ?? []);
    };
    assert.deepEqual(await get("a//é 🦀"), Buffer.from("text"));
    assert.deepEqual(await get("bytes"), Buffer.from([0xff, 0x00, 0xfe]));
    await db.close();
  });

  it("keeps what it is outside of the folder, so that s3leveldown sees data alone", async () => {
    const db = await openNew();
    await db.put("a", "1");
    const listed = await client.send(new ListObjectsV2Command({ Bucket: "level", Prefix: `${folderOf(db)}/` }));
    assert.deepEqual(
      listed.Contents?.map((object) => object.Key),
      [`${folderOf(db)}/a`],
    );
    await db.close();
  });

  it("may have been there before", async () => {
    const place = location();
    const Key = `${folderOf({ location: place })}/old`;
    await client.send(new PutObjectCommand({ Bucket: "level", Key, Body: "value" }));
    const db = new S3Level(place, { s3 });
    assert.deepEqual(await db.iterator().all(), [["old", "value"]]);
    await db.close();
  });

  it("refuses a key that is no text, rather than changing it, and writes nothing", async () => {
    const db = await openNew();
    const batch = [
      { type: "put" as const, key: Buffer.from("good"), value: "1", keyEncoding: "buffer" },
      { type: "put" as const, key: Buffer.from([0xff]), value: "2", keyEncoding: "buffer" },
    ];
    await assert.rejects(db.batch(batch as never), { code: "LEVEL_INVALID_KEY" });
    assert.deepEqual(await db.keys().all(), []);
    await db.close();
  });

  it("is never opened in another key format than its own", async () => {
    const db = await openNew({ keyFormat: "hex" });
    await db.close();
    assert.equal(await refusal(db.location, { s3, keyFormat: "utf8" }), "LEVEL_LAYOUT_MISMATCH");
    const again = new S3Level(db.location, { s3 });
    await again.put("é", "1");
    assert.deepEqual(await again.keys().all(), ["é"]);
    await again.close();
  });

  it("is deleted by destroy(), and nothing beside it", async () => {
    const [db, other] = [await openNew(), await openNew()];
    await Promise.all([db.put("a", "1"), other.put("b", "2")]);
    await db.close();
    await S3Level.destroy(db.location, s3);
    assert.equal(await refusal(db.location, { s3, createIfMissing: false }), "LEVEL_DATABASE_NOT_FOUND");
    assert.equal(await other.get("b"), "2");
    await other.close();
  });
});

describe("S3Level's requests", () => {
  it("are one for a list of a thousand keys, and one for each value", async () => {
    const db = await openNew();
    await db.batch(Array.from({ length: 30 }, (_, n) => ({ type: "put" as const, key: `k${10 + n}`, value: `${n}` })));
    assert.deepEqual(await requests(db, () => db.iterator().all()), { GetObject: 30, ListObjectsV2: 1 });
    assert.deepEqual(await requests(db, () => db.iterator({ reverse: true, limit: 3 }).all()), {
      GetObject: 3,
      ListObjectsV2: 1,
    });
    assert.deepEqual(await requests(db, () => db.keys({ gt: "k12", lt: "k15" }).all()), { ListObjectsV2: 1 });
    await db.close();
  });

  it("may list fewer keys at a time, as with s3leveldown", async () => {
    const db = await openNew();
    await db.batch(Array.from({ length: 6 }, (_, n) => ({ type: "put" as const, key: `k${n}`, value: "" })));
    const options = { s3ListObjectMaxKeys: 2 } as object;
    assert.deepEqual(await requests(db, () => db.keys(options).all()), { ListObjectsV2: 3 });
    await db.close();
  });

  it("delete a thousand keys at a time when it is cleared", async () => {
    const db = await openNew();
    await db.batch(Array.from({ length: 20 }, (_, n) => ({ type: "put" as const, key: `k${n}`, value: "" })));
    assert.deepEqual(await requests(db, () => db.clear()), { DeleteObjects: 1, ListObjectsV2: 1 });
    await db.close();
  });
});

describe("S3Level's conditions", () => {
  it("keep many writers from losing an update", async () => {
    const db = await openNew();
    await db.put("n", "0");
    const count = async () => {
      for (let done = 0; done < 4; ) {
        const { value, etag } = (await db.getWithEtag("n")) ?? assert.fail("it vanished");
        const written = db.put("n", `${Number(value) + 1}`, { ifMatch: etag });
        const failure = await written.then(
          () => undefined,
          ({ code }: { code: string }) => code,
        );
        if (failure === undefined) done++;
        else assert.equal(failure, "LEVEL_CONFLICT");
      }
    };
    await Promise.all([count(), count(), count()]);
    assert.equal(await db.get("n"), "12");
    await db.close();
  });

  it("keep a first write from overwriting another", async () => {
    const db = await openNew();
    await db.put("k", "1", { ifNoneMatch: true });
    await assert.rejects(db.put("k", "2", { ifNoneMatch: true }), { code: "LEVEL_CONFLICT" });
    assert.equal(await db.get("k"), "1");
    assert.equal(await db.getWithEtag("absent"), undefined);
    await db.close();
  });
});

describe("S3Level's settings", () => {
  it("may stand beside its options, bucket included", async () => {
    const db = new S3Level(location(), { bucket: "level", ...s3 });
    await db.put("a", "1");
    assert.equal(await db.get("a"), "1");
    await db.close();
  });

  it("are read from a client of the AWS SDK v3", async () => {
    const db = new S3Level(location(), { s3: client });
    await db.put("a", "1");
    assert.equal(await db.get("a"), "1");
    await db.close();
  });

  it("come from the environment where nothing is said", () => {
    const script = `
      const { S3Level } = require("holdfast/level");
      const db = new S3Level(${JSON.stringify(location())});
      db.put("a", "1").then(() => db.get("a")).then(console.log);`;
    const env = { ...process.env, ...environment };
    const cwd = resolve(import.meta.dirname, "../..");
    // The database stays open: that it ends at all shows that an open one does not keep a process alive.
    assert.equal(execFileSync(process.execPath, ["-e", script], { cwd, env, encoding: "utf8" }).trim(), "1");
  });

  for (const [what, options] of Object.entries({
    "an unknown one": { s3: { endpont: "http://127.0.0.1" } },
    "one of another type": { s3: { endpoint: 9000 } },
    "credentials without a secret": { s3: { ...s3, credentials: { accessKeyId: "a", secretAccessKey: undefined } } },
    "an endpoint that is no URL": { s3: { ...s3, endpoint: "localhost:9000" } },
    "another bucket than the location's": { ...s3, bucket: "other" },
    "another layout than there are": { s3, layout: "tree" },
  })) {
    it(`are refused: ${what}`, async () => {
      assert.equal(await refusal(location(), options as S3LevelOptions), "LEVEL_INVALID_OPTION");
    });
  }

  for (const [name, meant] of [
    ["endpiont", "endpoint"],
    ["Region", "region"],
    ["readonly", "readOnly"],
    ["layuot", "layout"],
    ["createIfMising", "createIfMissing"],
    ["accessKeyId", "credentials.accessKeyId"],
  ] as const) {
    it(`are refused when they are almost one that there is: ${name}`, () => {
      assert.throws(() => new S3Level("level/x", { ...s3, [name]: "x" }), {
        code: "LEVEL_INVALID_OPTION",
        message: `${name} is not an option; did you mean ${meant}?`,
      });
    });
  }

  it("are a user's own under other names, and come to the hooks", async () => {
    const db = new S3Level(location(), { s3, layout: "objects", tenant: "a" } as S3LevelOptions);
    let seen: unknown;
    db.hooks.postopen.add(async (options) => {
      seen = (options as unknown as { tenant: string }).tenant;
    });
    await db.open();
    assert.equal(seen, "a");
    await db.close();
  });

  it("are refused when given twice", () => {
    assert.throws(() => new S3Level("level/x", { s3, region: "us-east-1" }), { code: "LEVEL_INVALID_OPTION" });
  });
});

describe("opening an S3Level fails promptly", () => {
  it("for a bucket that is missing", async () => {
    assert.equal(await refusal("nowhere/x", { s3, createIfMissing: false }), "LEVEL_BUCKET_NOT_FOUND");
  });

  it("for credentials that are refused", async () => {
    const credentials = { ...s3.credentials, secretAccessKey: "wrong" };
    assert.equal(await refusal(location(), { s3: { ...s3, credentials } }), "LEVEL_ACCESS_DENIED");
  });

  it("for a database that exists and should not", async () => {
    const db = await openNew();
    await db.close();
    assert.equal(await refusal(db.location, { s3, errorIfExists: true }), "LEVEL_DATABASE_EXISTS");
  });
});
