import { ValidationError } from "../errors.js";
import { native, settle } from "../native.js";
import { checkRestoreOptions, type S3DataProviderOptions } from "./options.js";
import { placeOf } from "./place.js";

/** Options of {@link restore}. */
export interface RestoreOptions {
  /** Path of the new file. It must not exist. */
  file: string;
  /** Where the database is, as `createS3DataProvider` takes it. */
  s3: S3DataProviderOptions["s3"];
  /**
   * A time, for the state before the first transaction that was committed later; or a position, for the state as of
   * that segment (`status().position`). Default: the newest state.
   */
  to?: Date | number;
}

/** What {@link restore} made. */
export interface RestoredDatabase {
  /** Path of the new file: a plain SQLite database that nothing replicates. */
  file: string;
  /** The segment whose state it is; 0 for a snapshot of remult-sqlite-s3. */
  position: number;
  /** When the last transaction in it was committed. */
  time: Date;
  /** How many segments of the log were applied. */
  segments: number;
  /** Its size in bytes. */
  size: number;
}

/**
 * Restores a replicated database from its bucket into a new file, as it is now or was at a point that is kept. It
 * takes no lease and changes nothing in the bucket. Everything is verified before the file appears.
 *
 * @throws {ConfigError} options that are unknown, missing or impossible. {ValidationError} `INVALID_POINT`,
 * `FILE_EXISTS`. {NotFoundError} `NO_REPLICA`, and `POINT_NOT_KEPT` with what is kept in `details`. {IntegrityError}
 * naming what is missing or damaged in the bucket. {ConnectionError}, {IoError}
 */
export async function restore(options: RestoreOptions): Promise<RestoredDatabase> {
  checkRestoreOptions(options);
  const point = pointOf(options.to);
  const { timeMs, bytes, ...rest } = await settle(native.restoreReplica(placeOf(options.s3), options.file, point));
  return { file: options.file, ...rest, time: new Date(timeMs), size: bytes };
}

function pointOf(to: unknown): native.RestorePoint {
  if (to === undefined) return {};
  if (to instanceof Date && to.getTime() >= 0) return { timeMs: to.getTime() };
  if (typeof to === "number" && Number.isSafeInteger(to) && to >= 0) return { position: to };
  throw new ValidationError(`restore: to is ${String(to)}; give a Date, or a position: a whole number from 0`, {
    code: "INVALID_POINT",
  });
}
