import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { aws, run } from "./program.mts";
import { type ClientServer, startServer } from "./server.mts";
import { awkwardFiles, digest, digests, readTree, writeTree } from "./tree.mts";

describe("aws-cli 1", () => {
  let server: ClientServer;
  let local: string;
  const files = awkwardFiles();

  const cli = (...args: string[]): Promise<string> => run(aws(), args, server.env);

  before(async () => {
    server = await startServer();
    local = join(server.folder, "tree");
    writeTree(local, files);
    await cli("s3", "mb", "s3://tree");
  });
  after(() => server.stop());

  it("syncs a thousand awkward names and brings them back unchanged", async () => {
    await cli("s3", "sync", "--only-show-errors", local, "s3://tree/in");
    const back = join(server.folder, "back");
    await cli("s3", "sync", "--only-show-errors", "s3://tree/in", back);
    assert.deepEqual(readTree(back), digests(files));
  });

  it("finds nothing to do in a second sync, and removes what was removed", async () => {
    rmSync(join(local, "plus+plus"));
    const done = await cli("s3", "sync", "--no-progress", "--delete", local, "s3://tree/in");
    assert.equal(done, "delete: s3://tree/in/plus+plus\n");
  });

  it("uploads in parts, with a checksum composed of theirs", async () => {
    const head = JSON.parse(
      await cli("s3api", "head-object", "--bucket", "tree", "--key", "in/large.bin", "--checksum-mode", "ENABLED"),
    ) as Record<string, string>;
    assert.match(head.ETag!, /^"[0-9a-f]{32}-2"$/);
    assert.deepEqual([head.ChecksumType, head.ChecksumCRC32!.slice(-2)], ["COMPOSITE", "-2"]);
    const copy = join(server.folder, "large.bin");
    await cli("s3", "cp", "--only-show-errors", "s3://tree/in/large.bin", copy);
    assert.equal(digest(files.get("large.bin")!), readTree(server.folder).get("large.bin"));
  });

  it("signs URLs, by default with version 2", async () => {
    const url = (await cli("s3", "presign", "s3://tree/in/per%cent")).trim();
    assert.match(url, /AWSAccessKeyId=/);
    const answer = await fetch(url);
    assert.deepEqual([answer.status, await answer.text()], [200, "at the top: per%cent"]);
    assert.equal((await fetch(url.replace("per%25cent", "a..b"))).status, 403);
  });

  it("copies between buckets on the server, with parts where they are needed, and moves", async () => {
    await cli("s3", "mb", "s3://other");
    await cli("s3", "sync", "--only-show-errors", "s3://tree/in/folder 1", "s3://other/copied");
    await cli("s3", "cp", "--only-show-errors", "s3://tree/in/large.bin", "s3://other/large.bin");
    await cli("s3", "mv", "--only-show-errors", "s3://other/large.bin", "s3://other/moved 100%+");
    const back = join(server.folder, "copied");
    await cli("s3", "sync", "--only-show-errors", "s3://other", back);
    const expected = [...files]
      .filter(([name]) => name.startsWith("folder 1/"))
      .map(([name, bytes]): [string, Buffer] => [name.replace("folder 1", "copied"), bytes]);
    expected.push(["moved 100%+", files.get("large.bin")!]);
    assert.deepEqual(readTree(back), digests(new Map(expected)));
  });

  it("keeps the headers and metadata of a put", async () => {
    const body = join(server.folder, "body");
    writeFileSync(body, "hello");
    const where = ["--bucket", "tree", "--key", "with headers"];
    await cli("s3api", "put-object", ...where, "--body", body, "--content-language", "de", "--metadata", "who=me");
    const head = JSON.parse(await cli("s3api", "head-object", ...where)) as Record<string, unknown>;
    assert.deepEqual([head.ContentLanguage, head.Metadata], ["de", { who: "me" }]);
  });

  it("empties and removes buckets", async () => {
    await cli("s3", "rb", "--force", "s3://tree");
    await cli("s3", "rb", "--force", "s3://other");
    assert.equal(await cli("s3", "ls"), "");
  });
});
