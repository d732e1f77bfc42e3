// S3LevelDown under levelup: the samples of s3leveldown's documentation, and what they leave open.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import type { Readable } from "node:stream";
import { describe, it } from "node:test";
import { S3Client } from "@aws-sdk/client-s3";
import type { S3Source } from "holdfast/level";
import S3LevelDown from "holdfast/leveldown";
import { collected, levelup } from "./levelup.mts";
import { levelServer } from "./server.mts";

process.env.AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE = "1";
const require = createRequire(import.meta.url);
const { s3, environment, storage, location } = await levelServer();

/** What the samples print of a stream, and their last line. */
async function printed(stream: Readable): Promise<string[]> {
  const lines: string[] = [];
  stream.on("data", (data: { key: Buffer; value: Buffer }) =>
    lines.push(`${data.key.toString()}=${data.value.toString()}`),
  );
  await once(stream, "close");
  return lines;
}

const POKEMON = ["dob=February 27, 1996", "name=Pikachu", "occupation=Pokemon"];

describe("S3LevelDown", () => {
  it("is what require() gives, and the default export", () => {
    assert.equal(require("holdfast/leveldown"), S3LevelDown);
  });

  it("runs the sample with promises, with its client from the environment", async () => {
    Object.assign(process.env, environment);
    const db = levelup(new S3LevelDown("mybucket"));
    await db.batch().put("name", "Pikachu").put("dob", "February 27, 1996").put("occupation", "Pokemon").write();
    assert.deepEqual(await printed(db.createReadStream()), POKEMON);
    await db.close();
  });

  it("runs the sample with callbacks, in a sub-folder", async () => {
    const db = levelup(new S3LevelDown("mybucket/sub_folder", s3));
    const lines = await new Promise<string[]>((done) => {
      db.batch()
        .put("name", "Pikachu")
        .put("dob", "February 27, 1996")
        .put("occupation", "Pokemon")
        .write(() => done(printed(db.createReadStream())));
    });
    assert.deepEqual(lines, POKEMON);
    await db.close();
  });

  it("reads the settings of a client of the AWS SDK v3", async () => {
    const client = new S3Client({ ...s3, region: "us-east-1", forcePathStyle: true });
    const db = levelup(new S3LevelDown(location(), client));
    await db.put("a", "1");
    assert.equal((await db.get("a")).toString(), "1");
    await db.close();
  });

  it("runs the sample with a server of one's own, with a client of the AWS SDK v2", async () => {
    const AWS = require("aws-sdk") as { S3: new (options: object) => S3Source };
    const client = new AWS.S3({
      apiVersion: "2006-03-01",
      accessKeyId: s3.credentials.accessKeyId,
      secretAccessKey: s3.credentials.secretAccessKey,
      endpoint: s3.endpoint,
      s3ForcePathStyle: true,
      signatureVersion: "v4",
    });
    const db = levelup(new S3LevelDown("mybucket/own_server", client));
    await db.batch().put("name", "Pikachu").put("dob", "February 27, 1996").put("occupation", "Pokemon").write();
    assert.deepEqual(await printed(db.createReadStream()), POKEMON);
    await db.close();
  });

  it("tells levelup whether it has snapshots, once it is open", async () => {
    for (const layout of ["lsm", "objects"] as const) {
      const down = new S3LevelDown(location(), s3, { layout });
      const db = levelup(down);
      await db.put("a", "1");
      assert.equal((down.supports as { snapshots: boolean }).snapshots, layout === "lsm");
      await db.close();
    }
  });

  it("says what it does where DEBUG=S3LevelDown, and no values", () => {
    const script = `
      const db = require("levelup")(new (require("holdfast/leveldown"))(${JSON.stringify(location())}));
      db.put("name", "secret").then(() => db.get("name")).then(() => db.get("no")).catch(() => db.close());`;
    const env = { ...process.env, ...environment };
    const cwd = resolve(import.meta.dirname, "../..");
    const run = (more: object) =>
      spawnSync(process.execPath, ["-e", script], { cwd, env: { ...env, ...more }, encoding: "utf8" }).stderr;
    const said = run({ DEBUG: "S3LevelDown", DEBUG_COLORS: "0" });
    for (const call of ["open level/", 'put "name"', 'get "name"', "close level/"])
      assert.ok(said.includes(call), said);
    assert.doesNotMatch(said, /secret/);
    assert.equal(run({ DEBUG: "" }), "");
  });

  it("answers many keys at once, with nothing for those that are absent", async () => {
    const db = levelup(new S3LevelDown(location(), s3));
    await db.put("a", "1");
    assert.deepEqual(await db.getMany(["no", "a"], { asBuffer: false }), [undefined, "1"]);
    await assert.rejects(db.get("no"), { notFound: true });
    await db.close();
  });

  it("keeps bytes as they are", async () => {
    const db = levelup(new S3LevelDown(location(), s3));
    await db.put("k", new Uint8Array([0xff, 0x00, 0xfe]));
    assert.deepEqual(await db.get("k"), Buffer.from([0xff, 0x00, 0xfe]));
    const [entry] = (await collected(db.createReadStream())) as { value: Buffer }[];
    assert.deepEqual(entry?.value, Buffer.from([0xff, 0x00, 0xfe]));
    await db.close();
  });

  it("compares keys by bytes, not by UTF-16 units", async () => {
    const db = levelup(new S3LevelDown(location(), s3));
    for (const key of ["a", "\uff00", "🦀"]) await db.put(key, key);
    const below = (await collected(db.createReadStream({ lt: "🦀", values: false }))) as Buffer[];
    assert.deepEqual(below.map(String), ["a", "\uff00"]);
    await db.close();
  });

  it("clears with one delete for a thousand keys", async () => {
    const db = levelup(new S3LevelDown(location(), s3, { layout: "objects" }));
    await db.batch().put("a", "1").put("b", "2").write();
    storage.requests.clear();
    await db.clear();
    assert.deepEqual(await printed(db.createReadStream()), []);
    assert.equal([...storage.requests].filter(({ operation }) => operation === "DeleteObjects").length, 1);
    await db.close();
  });

  it("is emptied by destroy(), with a promise or a callback", async () => {
    const place = location();
    const db = levelup(new S3LevelDown(place, s3));
    await db.put("a", "1");
    await db.close();
    await S3LevelDown.destroy(place, s3);
    await new Promise<void>((done, failed) =>
      S3LevelDown.destroy(place, s3, (error) => (error ? failed(error) : done())),
    );
    const again = levelup(new S3LevelDown(place, s3));
    assert.deepEqual(await printed(again.createReadStream()), []);
    await again.close();
  });
});
