// What is built on levelup, on S3LevelDown: encodings, and databases within a database.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { describe, it } from "node:test";
import S3LevelDown from "holdfast/leveldown";
import { collected, type Levelup, levelup } from "./levelup.mts";
import { levelServer } from "./server.mts";

const require = createRequire(import.meta.url);
const encode = require("encoding-down") as (db: object, options: object) => object;
const sub = require("subleveldown") as (db: Levelup, name: string, options?: object) => Levelup;
const { s3, location } = await levelServer();

describe("encoding-down on S3LevelDown", () => {
  it("keeps values as JSON and keys as bytes", async () => {
    const down = new S3LevelDown(location(), s3, { keyFormat: "hex" });
    const db = levelup(encode(down, { keyEncoding: "binary", valueEncoding: "json" }));
    await db.put(Buffer.from([0xff]), { n: [1, null, "é"] });
    await db.put(Buffer.from([0xfe]), false);
    assert.deepEqual(await db.get(Buffer.from([0xff])), { n: [1, null, "é"] });
    assert.deepEqual(await collected(db.createReadStream()), [
      { key: Buffer.from([0xfe]), value: false },
      { key: Buffer.from([0xff]), value: { n: [1, null, "é"] } },
    ]);
    await db.close();
  });
});

describe("subleveldown on S3LevelDown", () => {
  it("keeps databases within a database apart", async () => {
    const db = levelup(encode(new S3LevelDown(location(), s3), { valueEncoding: "json" }));
    const [one, two] = [sub(db, "one", { valueEncoding: "json" }), sub(db, "two")];
    const nested = sub(one, "nested");
    await one.put("k", { n: 1 });
    await two.put("k", "2");
    await nested.put("k", "3");
    assert.deepEqual(await one.get("k"), { n: 1 });
    assert.deepEqual(await collected(two.createReadStream()), [{ key: "k", value: "2" }]);
    await two.clear();
    assert.deepEqual(await collected(two.createReadStream()), []);
    assert.equal(await nested.get("k"), "3");
    await one.batch([
      { type: "put", key: "j", value: 1 },
      { type: "del", key: "k" },
    ]);
    assert.deepEqual(await collected(one.createReadStream({ gte: "a", lt: "k" })), [{ key: "j", value: 1 }]);
    await db.close();
  });
});
