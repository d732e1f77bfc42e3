import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/** The keys that sign requests to S3, as far as this package reads them. */
export interface AwsCredentials {
  /** The access key's id. */
  accessKeyId: string;
  /** The access key's secret. */
  secretAccessKey: string;
  /** The token of temporary credentials. */
  sessionToken?: string;
}

/**
 * The keys alone. Other libraries write into credentials that they were given: the AWS SDK marks them with
 * `$source`, and its own carry an expiry.
 */
export function onlyKeys(credentials: {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}): AwsCredentials {
  const { accessKeyId, secretAccessKey, sessionToken } = credentials;
  return sessionToken === undefined ? { accessKeyId, secretAccessKey } : { accessKeyId, secretAccessKey, sessionToken };
}

/** `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`; `undefined` unless the first two are set. */
export function credentialsOfEnvironment(): AwsCredentials | undefined {
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN } = process.env;
  if (!AWS_ACCESS_KEY_ID || !AWS_SECRET_ACCESS_KEY) return undefined;
  return onlyKeys({
    accessKeyId: AWS_ACCESS_KEY_ID,
    secretAccessKey: AWS_SECRET_ACCESS_KEY,
    sessionToken: AWS_SESSION_TOKEN,
  });
}

/** Variables of the AWS SDKs that say where credentials are. */
const WHERE_THEY_ARE = [
  "AWS_PROFILE",
  "AWS_SHARED_CREDENTIALS_FILE",
  "AWS_WEB_IDENTITY_TOKEN_FILE",
  "AWS_CONTAINER_CREDENTIALS_FULL_URI",
  "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
];

/**
 * Whether credentials that nobody gave are looked for as the AWS SDKs do: always on AWS; at another endpoint only when
 * something says where they are, since a server of one's own may ask for none and no instance's role is meant for it.
 */
export function looksForCredentials(endpoint: string | undefined): boolean {
  if (endpoint === undefined || WHERE_THEY_ARE.some((name) => process.env[name])) return true;
  return existsSync(join(homedir(), ".aws", "credentials"));
}
