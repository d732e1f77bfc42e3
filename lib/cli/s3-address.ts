import { ConfigError } from "../errors.js";

/** What `s3://<bucket>/<path>?region=…&endpoint=…` says. */
export interface S3Address {
  bucket: string;
  /** Behind the bucket's slash, decoded; `""` for all of the bucket. */
  path: string;
  region?: string;
  endpoint?: string;
}

/**
 * Reads an address of the command line; `undefined` when the text is none.
 *
 * @throws ConfigError `UNKNOWN_OPTION` for a parameter that nobody knows.
 */
export function s3Address(text: string): S3Address | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== "s3:" || url.hostname === "") return undefined;
  const address: S3Address = { bucket: url.hostname, path: decodeURIComponent(url.pathname.slice(1)) };
  for (const [name, value] of url.searchParams) {
    if (name !== "region" && name !== "endpoint") {
      throw new ConfigError(`s3:// knows region and endpoint, not ${name}`, { code: "UNKNOWN_OPTION" });
    }
    address[name] = value;
  }
  return address;
}
