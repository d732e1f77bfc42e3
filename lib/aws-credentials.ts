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
