import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before } from "node:test";
import { type PersistError, type S3DataProviderOptions, SmartStorage } from "holdfast";

/** A server with the bucket `bucket`, for the tests of one block: theirs from `before` to `after`. */
export interface ReplicaBucket {
  /** An empty folder for the files of these tests. */
  folder: string;
  /** The server. */
  storage: SmartStorage;
  /** The options that name a database in the bucket. */
  place(databaseName: string): S3DataProviderOptions["s3"];
}

/**
 * Starts a server with an empty bucket before the tests of the block that calls it, and removes it behind them.
 *
 * @param closeFirst Ends what needs the server, before that is stopped.
 */
export function useReplicaBucket(closeFirst: () => unknown = () => undefined): ReplicaBucket {
  const used = {} as ReplicaBucket;
  before(async () => {
    used.folder = mkdtempSync(join(tmpdir(), "holdfast-replica-"));
    used.storage = await SmartStorage.createAndStart({
      server: { port: 0, address: "127.0.0.1", silent: true },
      storage: { directory: join(used.folder, "buckets") },
      auth: { enabled: true },
      buckets: ["bucket"],
    });
    const { endpoint, port, accessKey, accessSecret } = await used.storage.getStorageDescriptor();
    used.place = (databaseName) => ({
      bucket: "bucket",
      databaseName,
      endpoint: `http://${endpoint}:${port}`,
      forcePathStyle: true,
      credentials: { accessKeyId: accessKey, secretAccessKey: accessSecret },
    });
  });
  after(async () => {
    await closeFirst();
    await used.storage.stop();
    rmSync(used.folder, { recursive: true, force: true });
  });
  return used;
}

/** Waits for the error that a call ends with, which has this class and this code. */
export async function fails(call: Promise<unknown>, name: string, code: string): Promise<PersistError> {
  let caught: PersistError | undefined;
  await assert.rejects(call, (error: PersistError) => {
    caught = error;
    assert.deepEqual([error.name, error.code], [name, code], error.message);
    return true;
  });
  assert.ok(caught !== undefined);
  return caught;
}
