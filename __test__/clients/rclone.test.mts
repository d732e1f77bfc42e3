import assert from "node:assert/strict";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { run } from "./program.mts";
import { type ClientServer, startServer } from "./server.mts";
import { awkwardFiles, digests, readTree, writeTree } from "./tree.mts";

describe("rclone", () => {
  let server: ClientServer;
  let local: string;
  const files = awkwardFiles();

  const rclone = (...args: string[]): Promise<string> =>
    run("rclone", ["--retries=1", "--low-level-retries=1", ...args], {
      ...server.env,
      RCLONE_CONFIG: join(server.folder, "rclone.conf"),
      RCLONE_CONFIG_HF_TYPE: "s3",
      RCLONE_CONFIG_HF_PROVIDER: "Other",
      RCLONE_CONFIG_HF_ENV_AUTH: "true",
      RCLONE_CONFIG_HF_REGION: "us-east-1",
      RCLONE_CONFIG_HF_ENDPOINT: server.endpoint,
      RCLONE_CONFIG_HF_UPLOAD_CUTOFF: "5M",
      RCLONE_CONFIG_HF_CHUNK_SIZE: "5M",
    });

  before(async () => {
    server = await startServer();
    local = join(server.folder, "tree");
    writeTree(local, files);
    writeFileSync(join(server.folder, "rclone.conf"), "");
    await rclone("mkdir", "hf:tree");
  });
  after(() => server.stop());

  it("syncs a thousand awkward names, checks them, and brings them back unchanged", async () => {
    await rclone("sync", local, "hf:tree");
    await rclone("check", "--download", local, "hf:tree");
    const back = join(server.folder, "back");
    await rclone("sync", "hf:tree", back);
    assert.deepEqual(readTree(back), digests(files));
  });

  it("finds nothing to do in a second sync", async () => {
    const uploads = (): number => server.storage.requests.filter(({ operation }) => operation === "PutObject").length;
    const before = uploads();
    await rclone("sync", local, "hf:tree");
    assert.equal(uploads(), before);
  });

  it("removes from the bucket what was removed from the tree", async () => {
    const small = join(server.folder, "small");
    mkdirSync(small);
    writeTree(small, new Map([["a/kept", Buffer.from("kept")]]));
    await rclone("copy", small, "hf:tree/of its own");
    rmSync(join(small, "a"), { recursive: true });
    writeTree(small, new Map([["b/new", Buffer.from("new")]]));
    await rclone("sync", small, "hf:tree/of its own");
    assert.equal(await rclone("lsf", "-R", "--files-only", "hf:tree/of its own"), "b/new\n");
  });

  it("copies on the server, moves and links", async () => {
    await rclone("copyto", "hf:tree/large.bin", "hf:tree/copied 100%+.bin");
    await rclone("moveto", "hf:tree/copied 100%+.bin", "hf:tree/moved/100%+.bin");
    assert.match(await rclone("lsl", "hf:tree/moved"), /12582912 .* 100%\+\.bin/);
    const url = (await rclone("link", "hf:tree/plus+plus")).trim();
    const answer = await fetch(url);
    assert.deepEqual([answer.status, await answer.text()], [200, "at the top: plus+plus"]);
  });

  it("purges the bucket", async () => {
    await rclone("purge", "hf:tree");
    assert.equal(await rclone("lsd", "hf:"), "");
  });
});
