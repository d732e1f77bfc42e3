import type { native } from "../native.js";
import { invalid } from "./s3-settings.js";

/** How a database is written and read, beside how S3 is reached. */
export interface LayoutOptions {
  /** How the data is laid out. Default: what is there, and `"objects"` where nothing is. */
  layout?: "objects" | "lsm" | undefined;
  /** How keys are written in objects' keys: `"utf8"` (they have to be text) or `"hex"` (any bytes). Default as above. */
  keyFormat?: "utf8" | "hex" | undefined;
  /** Milliseconds that a batch of another process may take before its process counts as dead and the batch is
   * completed in its place. Default 5,000. */
  batchPatience?: number | undefined;
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
  { layout, keyFormat, batchPatience }: LayoutOptions,
  { createIfMissing, errorIfExists }: CreationOptions,
): native.LevelOpenOptions {
  if (batchPatience !== undefined && !(Number.isInteger(batchPatience) && batchPatience >= 0)) {
    throw invalid(`batchPatience is ${batchPatience}; give milliseconds, 0 or more`);
  }
  return {
    location,
    createIfMissing,
    errorIfExists,
    ...(layout === undefined ? {} : { layout }),
    ...(keyFormat === undefined ? {} : { keyFormat }),
    ...(batchPatience === undefined ? {} : { batchPatienceMs: Math.min(batchPatience, 0xffff_ffff) }),
  };
}
