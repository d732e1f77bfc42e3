import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { run } from "./program.mts";
import { type ClientServer, startServer } from "./server.mts";
import { awkwardFiles, digests, pattern, readTree, writeTree } from "./tree.mts";

describe("restic", () => {
  let server: ClientServer;
  let local: string;
  const files = awkwardFiles();

  const restic = (...args: string[]): Promise<string> =>
    run("restic", ["--quiet", ...args], {
      ...server.env,
      RESTIC_REPOSITORY: `s3:${server.endpoint}/backups/one`,
      RESTIC_PASSWORD: "correct horse",
      RESTIC_CACHE_DIR: join(server.folder, "cache"),
    });
  const restored = async (snapshot: string, into: string): Promise<Map<string, string>> => {
    await restic("restore", snapshot, "--target", into);
    return readTree(join(into, local));
  };

  before(async () => {
    server = await startServer();
    local = join(server.folder, "tree");
    writeTree(local, files);
  });
  after(() => server.stop());

  it("makes the bucket, backs up a thousand awkward names, and reads every byte of the repository back", async () => {
    await restic("init");
    await restic("backup", local);
    await restic("check", "--read-data");
    assert.deepEqual(await restored("latest", join(server.folder, "restored")), digests(files));
  });

  it("restores each of two snapshots as it was", async () => {
    rmSync(join(local, "large.bin"));
    const added = pattern(6 * 2 ** 20);
    writeFileSync(join(local, "added later"), added);
    const [first] = JSON.parse(await restic("snapshots", "--json")) as { short_id: string }[];
    await restic("backup", local);
    const later = new Map([...files, ["added later", added]] as [string, Buffer][]);
    later.delete("large.bin");
    assert.deepEqual(await restored(first!.short_id, join(server.folder, "first")), digests(files));
    assert.deepEqual(await restored("latest", join(server.folder, "second")), digests(later));
  });

  it("forgets and prunes a snapshot, and the repository stays whole", async () => {
    await restic("forget", "--keep-last", "1", "--prune");
    await restic("check", "--read-data");
    const snapshots = JSON.parse(await restic("snapshots", "--json")) as unknown[];
    assert.equal(snapshots.length, 1);
    const left = await restored("latest", join(server.folder, "pruned"));
    assert.deepEqual(left, readTree(local));
  });
});
