import { ConfigError } from "../errors.js";
import type { S3Settings } from "../level/index.js";
import { s3Address } from "./s3-address.js";

/** How a Level database is written on a command line, for the help. */
export const LEVEL_PLACE_HELP = `
A database is s3://<bucket> or s3://<bucket>/<folder>, with ?region=… and ?endpoint=… for R2, MinIO and others; else
AWS_REGION and AWS_ENDPOINT_URL say where it is. Keys come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.`;

/** Where a database is, and how to reach it. */
export interface LevelPlace {
  /** The bucket, with a folder after a slash. */
  location: string;
  s3: S3Settings;
}

/**
 * The database that a text of the command line names.
 *
 * @throws ConfigError `INVALID_SETTINGS`, or `UNKNOWN_OPTION` for a parameter that nobody knows.
 */
export function levelAt(text: string): LevelPlace {
  const address = s3Address(text);
  if (address === undefined) {
    throw new ConfigError("a database is s3://<bucket>/<folder>; see --help", { code: "INVALID_SETTINGS" });
  }
  const { bucket, path, ...s3 } = address;
  return { location: path === "" ? bucket : `${bucket}/${path}`, s3 };
}
