// Beside the predecessor itself, s3leveldown 2.2.2 from npm, on one bucket: what either writes, the other reads, lists,
// changes and deletes.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { describe, it } from "node:test";
import S3LevelDown from "holdfast/leveldown";
import { collected, type Levelup, levelup } from "./levelup.mts";
import { levelServer } from "./server.mts";

process.env.AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE = "1";
const require = createRequire(import.meta.url);
const Predecessor = require("s3leveldown") as new (location: string, client: object) => object;
const AWS = require("aws-sdk") as { S3: new (options: object) => object };

const { s3, location } = await levelServer();
const client = new AWS.S3({ ...s3.credentials, endpoint: s3.endpoint, s3ForcePathStyle: true, signatureVersion: "v4" });

/** Both at one location; `batch` and the rest run as a user of levelup runs them. */
async function both(work: (ours: Levelup, theirs: Levelup) => Promise<void>): Promise<void> {
  const place = location();
  const [ours, theirs] = [
    levelup(new S3LevelDown(place, s3, { layout: "objects" })),
    levelup(new Predecessor(place, client)),
  ];
  await work(ours, theirs);
  await Promise.all([ours.close(), theirs.close()]);
}

const entries = async (db: Levelup, options: object = {}): Promise<string[]> => {
  const all = (await collected(db.createReadStream(options))) as { key: Buffer; value: Buffer }[];
  return all.map(({ key, value }) => `${key.toString()}=${value.toString()}`);
};

const KEYS = ["a", "a//b", "b c", "d?e#f&g", "é", "日本", "~", "../x", ".", "k+k%20"];

for (const [what, pick] of [
  ["what s3leveldown wrote", (ours: Levelup, theirs: Levelup) => ({ writer: theirs, reader: ours })],
  ["what was written here", (ours: Levelup, theirs: Levelup) => ({ writer: ours, reader: theirs })],
] as const) {
  describe(`${what}, read by the other`, () => {
    it("is found under every key", () =>
      both(async (ours, theirs) => {
        const { writer, reader } = pick(ours, theirs);
        for (const key of KEYS) await writer.put(key, `value of ${key}`);
        for (const key of KEYS) assert.equal((await reader.get(key)).toString(), `value of ${key}`);
        await assert.rejects(reader.get("absent"), { notFound: true });
      }));

    it("keeps empty values, long values and bytes", () =>
      both(async (ours, theirs) => {
        const { writer, reader } = pick(ours, theirs);
        const bytes = Buffer.from(Array.from({ length: 70_000 }, (_, n) => n % 256));
        await writer.put("empty", "");
        await writer.put("bytes", bytes);
        assert.equal((await reader.get("empty")).length, 0);
        assert.deepEqual(await reader.get("bytes"), bytes);
      }));

    it("is listed in order, in ranges and in reverse", () =>
      both(async (ours, theirs) => {
        const { writer, reader } = pick(ours, theirs);
        await writer.batch(KEYS.map((key) => ({ type: "put" as const, key, value: "1" })));
        const sorted = [...KEYS].sort().map((key) => `${key}=1`);
        assert.deepEqual(await entries(reader), sorted);
        assert.deepEqual(await entries(reader, { reverse: true }), [...sorted].reverse());
        assert.deepEqual(await entries(reader, { gte: "a", lt: "b", limit: 2 }), ["a=1", "a//b=1"]);
      }));

    it("is changed and deleted", () =>
      both(async (ours, theirs) => {
        const { writer, reader } = pick(ours, theirs);
        await writer.batch(["a", "b", "c"].map((key) => ({ type: "put" as const, key, value: "old" })));
        await reader.put("a", "new");
        await reader.batch([
          { type: "del", key: "b" },
          { type: "put", key: "d", value: "new" },
        ]);
        assert.deepEqual(await entries(writer), ["a=new", "c=old", "d=new"]);
        await writer.clear();
        assert.deepEqual(await entries(reader), []);
      }));
  });
}

describe("a whole bucket of s3leveldown", () => {
  it("is opened as it is, and nothing is added to it", async () => {
    const theirs = levelup(new Predecessor("whole-bucket", client));
    await theirs.put("x", "1");
    const ours = levelup(new S3LevelDown("whole-bucket", s3));
    assert.deepEqual(await entries(ours), ["x=1"]);
    await ours.batch([
      { type: "put", key: "y", value: "2" },
      { type: "del", key: "x" },
    ]);
    assert.deepEqual(await entries(theirs), ["y=2"]);
    await Promise.all([ours.close(), theirs.close()]);
  });
});
