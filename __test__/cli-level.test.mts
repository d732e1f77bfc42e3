import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import { S3Level } from "holdfast/level";
import { type Ended, run } from "./cli-program.mts";
import { levelServer } from "./level/server.mts";

const { s3, environment, location } = await levelServer();

/** Runs `holdfast level` with the keys of the server. */
function level(args: readonly string[], input = ""): Promise<Ended> {
  return run(["level", ...args], environment, input);
}

/** What a run that has to succeed writes. */
async function output(args: readonly string[], input = ""): Promise<string> {
  const { code, stdout, stderr } = await level(args, input);
  assert.deepEqual([code, stderr], [0, ""]);
  return stdout;
}

async function storedUnder(prefix: string): Promise<number> {
  const client = new S3Client({ ...s3, region: "us-east-1", forcePathStyle: true });
  return (await client.send(new ListObjectsV2Command({ Bucket: "level", Prefix: prefix }))).KeyCount ?? 0;
}

describe("holdfast level", () => {
  const database = `s3://${location()}`;

  before(async () => {
    await output(["put", database, "name", "Pikachu", "--create"]);
    await output(["batch", database], '{"type":"put","key":"dob","value":"1996"}\n\n{"key":"type","value":"é\\n"}\n');
  });

  it("explains each command with an example", async () => {
    for (const name of ["get", "put", "del", "list", "batch", "migrate"]) {
      assert.match(
        (await level([name, "--help"])).stdout,
        new RegExp(`Example:\\n {2}npx holdfast level ${name} s3://`),
      );
    }
  });

  it("writes a value byte for byte", async () => {
    assert.equal(await output(["get", database, "type"]), "é\n");
    assert.deepEqual(JSON.parse(await output(["get", database, "name", "--json"])), { key: "name", value: "Pikachu" });
  });

  it("stores what comes in at the standard input", async () => {
    const bytes = JSON.parse(await output(["put", database, "z", "--json"], "from a file\n")) as object;
    assert.deepEqual(bytes, { key: "z", bytes: 12 });
    assert.equal(await output(["get", database, "z"]), "from a file\n");
    assert.equal(await output(["del", database, "z", "absent"]), "2 deleted\n");
  });

  it("lists ranges, prefixes, both directions, keys with values, and JSON", async () => {
    assert.equal(await output(["list", database]), "dob\nname\ntype\n");
    assert.equal(await output(["list", database, "--gt", "dob", "--lt", "type", "--values"]), "name\tPikachu\n");
    assert.equal(await output(["list", database, "--prefix", "n", "--json"]), '{"key":"name"}\n');
    const reverse = ["--reverse", "--limit", "1", "--encoding", "hex"];
    assert.equal(await output(["list", database, ...reverse]), `${Buffer.from("type").toString("hex")}\n`);
  });

  it("ends with 1 for a key that is absent, and says its code", async () => {
    const { code, stdout, stderr } = await level(["get", database, "absent", "--json"]);
    assert.deepEqual([code, stdout, JSON.parse(stderr).error.code], [1, "", "LEVEL_NOT_FOUND"]);
  });

  it("makes no write of a batch with a line that is none", async () => {
    const { code, stderr } = await level(["batch", database], '{"key":"new","value":"1"}\n{"key":"no value"}\n');
    assert.equal(code, 2);
    assert.match(stderr, /line 2 is no write/);
    assert.equal((await level(["get", database, "new"])).code, 1);
  });

  it("refuses keys that are not of the encoding", async () => {
    const { code, stderr } = await level(["put", database, "61zz", "00", "--encoding", "hex"]);
    assert.deepEqual([code, stderr], [2, "holdfast: the key is not hex [INVALID_SETTINGS]\n"]);
  });

  it("makes a database only when it is told to", async () => {
    const place = location();
    const { code, stderr } = await level(["put", `s3://${place}`, "a", "1"]);
    assert.equal(code, 1);
    assert.match(stderr, /createIfMissing.*LEVEL_DATABASE_NOT_FOUND/);
    assert.equal(await storedUnder(place.slice("level/".length)), 0);
  });

  it("reads beside a process that writes, and takes nothing from it", async () => {
    const writer = new S3Level(location(), { s3 });
    await writer.put("a", "1");
    assert.equal(await output(["list", `s3://${writer.location}`, "--values"]), "a\t1\n");
    await writer.put("b", "2");
    await writer.close();
  });

  it("copies a database into the other layout and back, and what it lists is a batch", async () => {
    const [plain, tree, copy] = [location(), location(), location()].map((place) => `s3://${place}`);
    assert.ok(plain && tree && copy);
    const there = await output(["migrate", database, plain, "--layout", "objects", "--json"]);
    assert.equal((JSON.parse(there) as { entries: number }).entries, 3);
    const back = await level(["migrate", plain, tree, "--layout", "lsm"]);
    assert.deepEqual([back.code, back.stderr], [0, "entries\n"]);
    const listed = await output(["list", tree, "--values", "--json"]);
    assert.equal(await output(["batch", copy, "--create"], listed), "3 writes made\n");
    assert.equal(await output(["list", copy, "--values", "--json"]), listed);
  });

  it("ends with 2 for addresses of two endpoints, and for a text that is no address", async () => {
    const other = `${database}-new?region=eu-central-1`;
    assert.equal((await level(["migrate", database, other, "--layout", "lsm"])).code, 2);
    assert.equal((await level(["list", "my-bucket/db"])).code, 2);
  });
});
