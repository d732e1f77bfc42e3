import { ConfigError } from "../errors.js";
import type { RestoreOptions } from "../remult/index.js";
import { s3Address } from "./s3-address.js";

/** How a replicated database is written on a command line, for the help. */
export const PLACE_HELP = `
A database is s3://<bucket>/<name>, or s3://<bucket>/<key prefix>/<name>, with ?region=… and ?endpoint=… for R2,
MinIO and others; else AWS_REGION and AWS_ENDPOINT_URL say where it is. Keys come from AWS_ACCESS_KEY_ID and
AWS_SECRET_ACCESS_KEY.`;

/**
 * The database that a text of the command line names.
 *
 * @throws ConfigError `INVALID_SETTINGS`, or `UNKNOWN_OPTION` for a parameter that nobody knows.
 */
export function replicaAt(text: string): RestoreOptions["s3"] {
  const address = s3Address(text);
  const names = address?.path.split("/").filter((name) => name !== "") ?? [];
  const databaseName = names.pop();
  if (address === undefined || databaseName === undefined) {
    throw new ConfigError("a database is s3://<bucket>/<name>; see --help", { code: "INVALID_SETTINGS" });
  }
  const region = address.region ?? process.env.AWS_REGION;
  const endpoint = address.endpoint ?? process.env.AWS_ENDPOINT_URL;
  return {
    bucket: address.bucket,
    databaseName,
    ...(names.length === 0 ? {} : { keyPrefix: names.join("/") }),
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
  };
}
