import { openFollower } from "./follower.js";
import { checkOptions, type S3DataProviderOptions } from "./options.js";
import { openProvider, type ReplicatedSqlDatabase } from "./provider.js";
import { COMMON_JS, loadRemult, type RemultLoaders } from "./remult-modules.js";

export { BetterSqlite3S3DataProvider, S3SyncManager } from "./classes.js";
export type { S3SyncEvent } from "./events.js";
export type { S3DataProviderOptions } from "./options.js";
export type { ReplicatedSqlDatabase, S3ReplicaStatus, S3Replication } from "./provider.js";

export { type ReplicaGeneration, type ReplicaInventory, replicas } from "./replicas.js";
export { type RestoredDatabase, type RestoreOptions, restore } from "./restore.js";

/**
 * A data provider for Remult: SQLite in a local file, continuously replicated to a bucket.
 *
 * ```ts
 * export const api = remultApi({
 *   dataProvider: createS3DataProvider({ file: "./mydb.sqlite", s3: { bucket: "my-bucket", databaseName: "my-database" } }),
 *   entities: [Task],
 * });
 * ```
 *
 * The options are checked at once; the database is opened when the answer is first called, and once.
 * When opening fails, the next call tries again.
 *
 * @throws {ConfigError} `UNKNOWN_OPTION`, `MISSING_OPTION`, `INVALID_OPTION`. Opening fails with `LockedError`
 * (`DATABASE_LOCKED`), `IntegrityError`, `CapabilityError` (`CONDITIONAL_WRITES_IGNORED`), `ConnectionError`, `IoError`.
 */
export function createS3DataProvider(options: S3DataProviderOptions): () => Promise<ReplicatedSqlDatabase> {
  return memoised(options, COMMON_JS);
}

function memoised(options: S3DataProviderOptions, loaders: RemultLoaders): () => Promise<ReplicatedSqlDatabase> {
  checkOptions(options);
  const isReadOnly = options.readOnly === true || options.sqliteOptions?.readonly === true;
  let opened: Promise<ReplicatedSqlDatabase> | undefined;
  return () => {
    opened ??= loadRemult(loaders)
      .then((remult) => (isReadOnly ? openFollower(options, remult) : openProvider(options, remult)))
      .catch((error: unknown) => {
        opened = undefined;
        throw error;
      });
    return opened;
  };
}

/** Not for applications: the ES modules of this package bind their own `import` of Remult with it. */
Object.defineProperty(createS3DataProvider, "withRemult", {
  value: (loaders: RemultLoaders) => (options: S3DataProviderOptions) => memoised(options, loaders),
});
