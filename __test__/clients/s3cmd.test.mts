import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { run } from "./program.mts";
import { type ClientServer, startServer } from "./server.mts";
import { awkwardFiles, digests, readTree, writeTree } from "./tree.mts";

describe("s3cmd", () => {
  let server: ClientServer;
  let local: string;
  let config: string;
  const files = awkwardFiles();

  const s3cmd = (...args: string[]): Promise<string> =>
    run("s3cmd", [`--config=${config}`, "--no-progress", ...args], server.env);

  before(async () => {
    server = await startServer();
    local = join(server.folder, "tree");
    config = join(server.folder, "s3cfg");
    const host = `${server.host}:${server.port}`;
    const settings = {
      access_key: server.accessKey,
      secret_key: server.secret,
      host_base: host,
      host_bucket: host,
      use_https: "False",
      bucket_location: "us-east-1",
      multipart_chunk_size_mb: "5",
      max_retries: "1",
    };
    const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}`);
    writeFileSync(config, `[default]\n${lines.join("\n")}\n`);
    writeTree(local, files);
    await s3cmd("mb", "s3://tree");
  });
  after(() => server.stop());

  it("syncs a thousand awkward names and brings them back unchanged", async () => {
    await s3cmd("sync", `${local}/`, "s3://tree/in/");
    const back = join(server.folder, "back/");
    await s3cmd("sync", "s3://tree/in/", back);
    assert.deepEqual(readTree(back), digests(files));
  });

  it("finds nothing to do in a second sync, and removes what was removed", async () => {
    rmSync(join(local, "plus+plus"));
    const before = server.storage.requests.filter(({ operation }) => operation === "PutObject").length;
    await s3cmd("sync", "--delete-removed", `${local}/`, "s3://tree/in/");
    const now = server.storage.requests.filter(({ operation }) => operation === "PutObject").length;
    assert.equal(now, before);
    assert.equal(await s3cmd("ls", "s3://tree/in/plus"), "");
  });

  it("signs a URL, copies, moves and tells what an object is", async () => {
    await s3cmd(
      "put",
      "--mime-type=text/plain",
      "--add-header=x-amz-meta-who:me",
      join(local, "a..b"),
      "s3://tree/a b+c%",
    );
    await s3cmd("cp", "s3://tree/a b+c%", "s3://tree/copy of a");
    await s3cmd("mv", "s3://tree/copy of a", "s3://tree/moved #1?");
    const info = await s3cmd("info", "s3://tree/moved #1?");
    assert.match(info, /MIME type: text\/plain/);
    assert.match(info, /x-amz-meta-who: me/);
    const url = (await s3cmd("signurl", "s3://tree/moved #1?", "+60")).trim();
    const answer = await fetch(url);
    assert.deepEqual([answer.status, await answer.text()], [200, "at the top: a..b"]);
  });

  it("signs with version 2 when it is told to", async () => {
    await s3cmd("--signature-v2", "put", join(local, "a..b"), "s3://tree/by version 2 +%");
    const listed = await s3cmd("--signature-v2", "ls", "s3://tree/by version 2");
    assert.match(listed, / 16 +s3:\/\/tree\/by version 2 \+%\n$/);
  });

  it("sets and removes a policy", async () => {
    const policy = join(server.folder, "policy.json");
    const statement = { Effect: "Allow", Principal: "*", Action: "s3:GetObject", Resource: "arn:aws:s3:::tree/in/*" };
    writeFileSync(policy, JSON.stringify({ Version: "2012-10-17", Statement: [statement] }));
    await s3cmd("setpolicy", policy, "s3://tree");
    assert.equal((await fetch(`${server.endpoint}/tree/in/a..b`)).status, 200);
    await s3cmd("delpolicy", "s3://tree");
    assert.equal((await fetch(`${server.endpoint}/tree/in/a..b`)).status, 403);
  });

  it("empties and removes the bucket", async () => {
    await s3cmd("rb", "--recursive", "--force", "s3://tree");
    assert.equal(await s3cmd("ls"), "");
  });
});
