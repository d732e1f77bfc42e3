import { credentialsOfEnvironment, onlyKeys } from "../aws-credentials.js";
import { ConfigError } from "../errors.js";
import type { native } from "../native.js";

/** The keys that sign requests. */
export interface S3Credentials {
  /** The access key's id. */
  accessKeyId: string;
  /** The access key's secret. */
  secretAccessKey: string;
  /** The token of temporary credentials. */
  sessionToken?: string | undefined;
}

/** How to reach S3. What is absent comes from the environment (`AWS_…`), then from the default. */
export interface S3Settings {
  /** The bucket, for settings that are shared with other doors; the location names it too, and they have to agree. */
  bucket?: string | undefined;
  /** Default: `AWS_REGION`, `AWS_DEFAULT_REGION`, then `us-east-1`. `auto` for R2. */
  region?: string | undefined;
  /** URL of the endpoint. Default: `AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL`, then AWS in the region. */
  endpoint?: string | undefined;
  /** `endpoint/bucket` instead of `bucket.endpoint`. Default: true with an endpoint, false without. */
  forcePathStyle?: boolean | undefined;
  /** Default: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`; without them, unsigned requests. */
  credentials?: S3Credentials | undefined;
  /** How often a request is tried in all. Default 3. */
  maxAttempts?: number | undefined;
  /** Milliseconds to connect. Default 5,000. */
  connectTimeout?: number | undefined;
  /** Milliseconds for one attempt. Default 60,000. */
  attemptTimeout?: number | undefined;
  /** Milliseconds for all attempts together. Default 180,000. */
  operationTimeout?: number | undefined;
  /** `"whenRequired"` for endpoints that refuse the newer checksum headers. Default `"whenSupported"`. */
  checksums?: "whenSupported" | "whenRequired" | undefined;
}

/** An `S3Client` of the AWS SDK v3, as far as its settings are read. */
export interface S3ClientV3 {
  config: {
    region: () => Promise<string>;
    endpoint?:
      | (() => Promise<{ protocol: string; hostname: string; port?: number | undefined; path: string }>)
      | undefined;
    forcePathStyle?: unknown;
    credentials: () => Promise<S3Credentials>;
  };
}

/** An `AWS.S3` of the AWS SDK v2, as far as its settings are read. */
export interface S3ClientV2 {
  config: {
    region?: string | undefined;
    endpoint?: string | { href: string } | undefined;
    s3ForcePathStyle?: boolean | undefined;
    credentials?: (S3Credentials & { getPromise?: () => Promise<void> }) | null | undefined;
  };
}

/** Settings, or a client of the AWS SDK (v2 or v3) to read them from. The client itself is not used. */
export type S3Source = S3Settings | S3ClientV3 | S3ClientV2;

const KNOWN: Readonly<Record<keyof S3Settings, "string" | "boolean" | "number" | "object">> = {
  bucket: "string",
  region: "string",
  endpoint: "string",
  forcePathStyle: "boolean",
  credentials: "object",
  maxAttempts: "number",
  connectTimeout: "number",
  attemptTimeout: "number",
  operationTimeout: "number",
  checksums: "string",
};

/** The names of all settings. */
export const S3_SETTINGS: readonly string[] = Object.keys(KNOWN);

/** Whether an option's name is one of a setting of S3. */
export function isS3Setting(name: string): boolean {
  return Object.hasOwn(KNOWN, name);
}

/**
 * The native settings that a source stands for, for a database at a location.
 * @throws {ConfigError} `LEVEL_INVALID_OPTION`, naming the setting.
 */
export async function readS3Settings(source: S3Source | undefined, location: string): Promise<native.S3SettingsData> {
  const settings = checked(await plainSettings(source ?? {}));
  const [bucket] = location.split("/", 1);
  if (settings.bucket !== undefined && settings.bucket !== bucket) {
    throw invalid(
      `the bucket is "${settings.bucket}" in the settings and "${bucket}" in the location; give one of them`,
    );
  }
  const { env } = process;
  const credentials = settings.credentials ?? credentialsOfEnvironment();
  const data: { [Key in keyof native.S3SettingsData]: native.S3SettingsData[Key] | undefined } = {
    region: settings.region ?? env.AWS_REGION ?? env.AWS_DEFAULT_REGION,
    endpoint: settings.endpoint ?? env.AWS_ENDPOINT_URL_S3 ?? env.AWS_ENDPOINT_URL,
    forcePathStyle: settings.forcePathStyle,
    accessKeyId: credentials?.accessKeyId,
    secretAccessKey: credentials?.secretAccessKey,
    sessionToken: credentials?.sessionToken,
    maxAttempts: settings.maxAttempts,
    connectTimeoutMs: settings.connectTimeout,
    attemptTimeoutMs: settings.attemptTimeout,
    operationTimeoutMs: settings.operationTimeout,
    checksumsWhenRequired: settings.checksums === "whenRequired",
  };
  return Object.fromEntries(Object.entries(data).filter(([, value]) => value !== undefined));
}

async function plainSettings(source: S3Source): Promise<S3Settings> {
  if (typeof source !== "object" || source === null)
    throw invalid(`s3 is ${typeof source}; give settings or a client of the AWS SDK`);
  if (!("config" in source)) return source;
  return isV3(source) ? settingsOfV3(source) : settingsOfV2(source as S3ClientV2);
}

function isV3(source: object): source is S3ClientV3 {
  return typeof (source as Partial<S3ClientV3>).config?.region === "function";
}

async function settingsOfV3({ config }: S3ClientV3): Promise<S3Settings> {
  const [region, endpoint, credentials] = await Promise.all([
    config.region(),
    config.endpoint?.(),
    config.credentials(),
  ]);
  return {
    region,
    credentials: onlyKeys(credentials),
    forcePathStyle: typeof config.forcePathStyle === "boolean" ? config.forcePathStyle : undefined,
    endpoint: endpoint && urlOf(endpoint),
  };
}

function urlOf({
  protocol,
  hostname,
  port,
  path,
}: {
  protocol: string;
  hostname: string;
  port?: number | undefined;
  path: string;
}): string {
  return `${protocol}//${hostname}${port === undefined ? "" : `:${port}`}${path}`;
}

async function settingsOfV2({ config }: S3ClientV2): Promise<S3Settings> {
  await config.credentials?.getPromise?.();
  return {
    region: config.region,
    credentials: config.credentials ? onlyKeys(config.credentials) : undefined,
    forcePathStyle: config.s3ForcePathStyle || undefined,
    endpoint: (typeof config.endpoint === "object" ? config.endpoint.href : config.endpoint) || undefined,
  };
}

function checked(settings: S3Settings): S3Settings {
  for (const [name, value] of Object.entries(settings)) {
    const type = (KNOWN as Readonly<Record<string, string>>)[name];
    if (type === undefined) throw invalid(`s3.${name} is not a setting; there are ${Object.keys(KNOWN).join(", ")}`);
    if (value === undefined) continue;
    if (typeof value !== type || value === null) throw invalid(`s3.${name} is ${shown(value)}; give a ${type}`);
    if (type === "number" && !(Number.isInteger(value) && value >= 1 && value <= 0xffff_ffff)) {
      throw invalid(`s3.${name} is ${value}; give a whole number from 1`);
    }
  }
  if (settings.checksums !== undefined && !["whenSupported", "whenRequired"].includes(settings.checksums)) {
    throw invalid(`s3.checksums is ${shown(settings.checksums)}; give "whenSupported" or "whenRequired"`);
  }
  if (settings.credentials !== undefined) checkCredentials(settings.credentials);
  return settings;
}

function checkCredentials(credentials: Partial<S3Credentials>): void {
  for (const name of ["accessKeyId", "secretAccessKey"] as const) {
    if (typeof credentials[name] !== "string" || credentials[name] === "") {
      throw invalid(`s3.credentials.${name} is missing; is the variable set that it comes from?`);
    }
  }
}

function shown(value: unknown): string {
  return typeof value === "object" ? "an object" : JSON.stringify(value);
}

/** The error of an option that can't be used. */
export function invalid(message: string): ConfigError {
  return new ConfigError(message, { code: "LEVEL_INVALID_OPTION" });
}
