import { type native, settle } from "../native.js";
import { connect } from "./connection.js";
import { nativeOpenOptions } from "./open-options.js";
import type { S3Source } from "./s3-settings.js";

/** How far a copy is. */
export interface MigrationProgress {
  /** Entries copied so far, those before an interruption included. */
  entries: number;
  /** Bytes of their keys and values. */
  bytes: number;
}

/** What a database is copied into, and how. */
export interface MigrationOptions {
  /** The layout of the copy. */
  layout: "objects" | "lsm";
  /** How keys are written in layout `"objects"`. Default `"utf8"`. */
  keyFormat?: "utf8" | "hex" | undefined;
  /** How to reach S3: settings, or a client of the AWS SDK to read them from. Default: from the environment. */
  s3?: S3Source | undefined;
  /** Hears how far the copy is, about every thousand entries. */
  onProgress?: ((progress: MigrationProgress) => void) | undefined;
}

/** Copies a database; see `S3Level.migrate`. */
export async function migrate(
  source: string,
  target: string,
  { layout, keyFormat, s3, onProgress }: MigrationOptions,
): Promise<MigrationProgress> {
  const options = nativeOpenOptions(target, { layout, keyFormat }, { createIfMissing: true, errorIfExists: false });
  const migration = await settle((await connect(s3, target)).migrate(source, options));
  try {
    return await run(migration, onProgress);
  } finally {
    await settle(migration.close());
  }
}

async function run(
  migration: native.LevelMigration,
  onProgress: MigrationOptions["onProgress"],
): Promise<MigrationProgress> {
  let progress: MigrationProgress = { entries: 0, bytes: 0 };
  for (;;) {
    const next = await settle(migration.step());
    if (!next) return progress;
    progress = next;
    onProgress?.(progress);
  }
}
