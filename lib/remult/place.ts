import { credentialsOfEnvironment, looksForCredentials } from "../aws-credentials.js";
import type { native } from "../native.js";
import type { S3DataProviderOptions } from "./options.js";

/** Where in which bucket a database is, as the core takes it. */
export function placeOf(s3: S3DataProviderOptions["s3"]): native.ReplicaPlace {
  const credentials = s3.credentials ?? credentialsOfEnvironment();
  const prefix = s3.keyPrefix === undefined || s3.keyPrefix === "" ? "" : `${s3.keyPrefix.replace(/\/+$/, "")}/`;
  return {
    bucket: s3.bucket,
    prefix: `${prefix}${s3.databaseName}/`,
    s3: withoutUndefined({
      region: s3.region,
      endpoint: s3.endpoint,
      forcePathStyle: s3.forcePathStyle ?? (s3.endpoint === undefined ? undefined : false),
      accessKeyId: credentials?.accessKeyId,
      secretAccessKey: credentials?.secretAccessKey,
      sessionToken: credentials?.sessionToken,
      findCredentials: credentials === undefined && looksForCredentials(s3.endpoint),
    }),
  };
}

/** The core takes what is absent for its default, and what is undefined for a mistake. */
export function withoutUndefined(object: object): object {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
}
