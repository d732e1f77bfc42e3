import type { native } from "../native.js";
import { invalid } from "./s3-settings.js";

/** How a database is written and read, beside how S3 is reached. */
export interface LayoutOptions {
  /** How the data is laid out. Default: what is there; where nothing is `"lsm"`, or `"objects"` with a `keyFormat`. */
  layout?: "objects" | "lsm" | undefined;
  /** How keys are written in objects' keys: `"utf8"` (they have to be text) or `"hex"` (any bytes). Default: what is there, and
   * `"utf8"` where nothing is. */
  keyFormat?: "utf8" | "hex" | undefined;
  /** Milliseconds that a batch of another process may take before its process counts as dead and the batch is
   * completed in its place. Default 5,000. */
  batchPatience?: number | undefined;
  /** Opens a database for reading alone, one of layout `"lsm"` beside its writer. Default false. */
  readOnly?: boolean | undefined;
  /** Milliseconds that a `readOnly` database may lag behind its writer, before the time that requests take: from 100.
   * Default 2,000. */
  refreshInterval?: number | undefined;
}

/** What `open()` of abstract-level and abstract-leveldown is given. */
export interface CreationOptions {
  createIfMissing: boolean;
  errorIfExists: boolean;
}

/**
 * The native options that open a database.
 * @throws {ConfigError} `LEVEL_INVALID_OPTION`, naming the option.
 */
export function nativeOpenOptions(
  location: string,
  { layout, keyFormat, batchPatience, readOnly, refreshInterval }: LayoutOptions,
  { createIfMissing, errorIfExists }: CreationOptions,
): native.LevelOpenOptions {
  for (const [name, value] of Object.entries({ batchPatience, refreshInterval })) {
    if (value !== undefined && !(Number.isInteger(value) && value >= 0 && value <= 0xffff_ffff)) {
      throw invalid(`${name} is ${value}; give milliseconds, a whole number`);
    }
  }
  return {
    location,
    createIfMissing,
    errorIfExists,
    ...(layout === undefined ? {} : { layout }),
    ...(keyFormat === undefined ? {} : { keyFormat }),
    ...(batchPatience === undefined ? {} : { batchPatienceMs: batchPatience }),
    ...(readOnly === undefined ? {} : { readOnly }),
    ...(refreshInterval === undefined ? {} : { refreshMs: refreshInterval }),
  };
}
