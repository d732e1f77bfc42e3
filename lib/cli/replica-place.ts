import { ConfigError } from "../errors.js";
import type { RestoreOptions } from "../remult/index.js";

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
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const names = url?.pathname.split("/").filter((name) => name !== "") ?? [];
  const databaseName = names.pop();
  if (url?.protocol !== "s3:" || url.hostname === "" || databaseName === undefined) {
    throw new ConfigError("a database is s3://<bucket>/<name>; see --help", { code: "INVALID_SETTINGS" });
  }
  const unknown = [...url.searchParams.keys()].find((name) => name !== "region" && name !== "endpoint");
  if (unknown !== undefined) {
    throw new ConfigError(`s3:// knows region and endpoint, not ${unknown}`, { code: "UNKNOWN_OPTION" });
  }
  const region = url.searchParams.get("region") ?? process.env.AWS_REGION;
  const endpoint = url.searchParams.get("endpoint") ?? process.env.AWS_ENDPOINT_URL;
  return {
    bucket: url.hostname,
    databaseName: decodeURIComponent(databaseName),
    ...(names.length === 0 ? {} : { keyPrefix: decodeURIComponent(names.join("/")) }),
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
  };
}
