import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type Bucket, SmartBucket } from "@push.rocks/smartbucket";
import { type ClientServer, startServer } from "./server.mts";

describe("SmartBucket", () => {
  let server: ClientServer;
  let bucket: Bucket;

  before(async () => {
    server = await startServer();
    const smartbucket = new SmartBucket({ ...(await server.storage.getStorageDescriptor()), region: "us-east-1" });
    bucket = await smartbucket.createBucket("my-bucket");
  });
  after(() => server.stop());

  it("does what the documentation shows", async () => {
    const dir = await bucket.getBaseDirectory();
    await dir.fastPut({ path: "docs/readme.txt", contents: "Hello!" });
    assert.equal((await dir.fastGet({ path: "docs/readme.txt" })).toString(), "Hello!");
    assert.deepEqual(await dir.listFiles(), []);
    const docs = await dir.getSubDirectoryByName("docs");
    assert.deepEqual(
      (await docs!.listFiles()).map((file) => file.name),
      ["readme.txt"],
    );
  });

  it("copies, moves, lists and removes", async () => {
    await bucket.fastPut({ path: "a b/c.txt", contents: "awkward" });
    await bucket.fastCopy({ sourcePath: "a b/c.txt", destinationPath: "copy" });
    await bucket.fastMove({ sourcePath: "copy", destinationPath: "moved/here" });
    assert.equal((await bucket.fastGet({ path: "moved/here" })).toString(), "awkward");
    const keys: string[] = [];
    for await (const key of bucket.listAllObjects()) keys.push(key);
    assert.deepEqual(keys, ["a b/c.txt", "docs/readme.txt", "moved/here"]);
    await bucket.fastRemove({ path: "moved/here" });
    assert.equal(await bucket.fastExists({ path: "moved/here" }), false);
  });
});
