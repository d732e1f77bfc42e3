import { ConfigError } from "../errors.js";
import type { S3SyncEvent } from "./events.js";

/** Options of {@link createS3DataProvider}. */
export interface S3DataProviderOptions {
  /** Path of the SQLite database file. Its folder is made where it is missing. */
  file: string;
  /** The bucket, and the database's place in it. */
  s3: {
    /** The bucket. It must exist. */
    bucket: string;
    /** Unique for each database: two databases of one name would be one. */
    databaseName: string;
    /** Put before every key. Default: nothing. */
    keyPrefix?: string;
    /** Default `us-east-1`. */
    region?: string;
    /** An S3-compatible endpoint. Default: AWS. */
    endpoint?: string;
    /** Path-style addresses, which MinIO needs. Default false. */
    forcePathStyle?: boolean;
    /**
     * Default: what the AWS SDKs find (environment, profile files, web identity, the container's or the instance's role),
     * renewed before it expires.
     */
    credentials?: { accessKeyId: string; secretAccessKey: string; sessionToken?: string };
  };
  /** How to replicate. */
  sync?: {
    /** `"async"` acknowledges a write after the local commit, `"sync"` when it is stored. Default `"async"`. */
    mode?: "async" | "sync";
    /** In async mode: commits of this long are shipped together, in ms. Default 100. */
    interval?: number;
    /** The log is checkpointed when it is larger and stored, in bytes. Default 1048576. */
    walThreshold?: number;
    /** Time between snapshots, in ms; 0 takes none by the clock. Default 300000. */
    snapshotInterval?: number;
    /** Every state of this long ago can be restored; what none of them needs is removed. In ms, at least an hour. Default 86400000. */
    retention?: number;
    /** Attempts before waiting writes are told. Default 3. */
    maxRetries?: number;
    /** How long the lease stands without being renewed, in ms. Default 60000. */
    lockTtl?: number;
    /** How often it is renewed, in ms. Default 30000, at most half of `lockTtl`. */
    lockRefresh?: number;
    /** How long to wait for somebody else's lease to end, in ms. Default 0. */
    lockWait?: number;
    /** Take the lease from whoever holds it. Default false. */
    forceLock?: boolean;
    /** Go on with an endpoint that ignores conditional requests, where two instances could write at once. Default false. */
    allowUnsafeLock?: boolean;
  };
  /** How to open SQLite. */
  sqliteOptions?: {
    /** The same as `readOnly`. Default false. */
    readonly?: boolean;
    /** Refuse to make a new database when there is none, here or in the bucket. Default false. */
    fileMustExist?: boolean;
    /** How long to wait for another process's lock, in ms. Default 5000. */
    timeout?: number;
    /** Called with each statement. */
    verbose?: (sql: string) => void;
    /** Accepted and ignored: SQLite is part of this package. */
    nativeBinding?: string;
  };
  /**
   * Follow the database of another instance: consistent reads, no lease, no writes (`READ_ONLY`). `sync.interval` is then
   * how often to look for what is new, in ms, 1000 by default. Default false.
   */
  readOnly?: boolean;
  /** Hears what replication does. What it throws becomes a process warning. */
  onEvent?: (event: S3SyncEvent) => void;
  /** Log every event to the console. Default false. */
  verbose?: boolean;
  /** Close the database at SIGINT, SIGTERM and when the process has nothing left to do. Default true. */
  handleSignals?: boolean;
}

type Kind = "string" | "number" | "boolean" | "function" | "any" | { readonly [name: string]: Kind };

const SHAPE: { readonly [name: string]: Kind } = {
  file: "string",
  s3: {
    bucket: "string",
    databaseName: "string",
    keyPrefix: "string",
    region: "string",
    endpoint: "string",
    forcePathStyle: "boolean",
    credentials: { accessKeyId: "string", secretAccessKey: "string", sessionToken: "string" },
  },
  sync: {
    mode: "string",
    interval: "number",
    walThreshold: "number",
    snapshotInterval: "number",
    retention: "number",
    maxRetries: "number",
    lockTtl: "number",
    lockRefresh: "number",
    lockWait: "number",
    forceLock: "boolean",
    allowUnsafeLock: "boolean",
  },
  sqliteOptions: {
    readonly: "boolean",
    fileMustExist: "boolean",
    timeout: "number",
    verbose: "function",
    nativeBinding: "string",
  },
  readOnly: "boolean",
  onEvent: "function",
  verbose: "boolean",
  handleSignals: "boolean",
};

/** An object that other libraries write into: the AWS SDK marks the credentials that it was given with `$source`. */
const OPEN = "s3.credentials";

/**
 * Looks options through before anything is opened.
 *
 * @throws {ConfigError} `UNKNOWN_OPTION`, `MISSING_OPTION` or `INVALID_OPTION`, naming the option.
 */
export function checkOptions(options: S3DataProviderOptions): void {
  const invalid = complaintOf("createS3DataProvider");
  checkShape(options, SHAPE, "", invalid);
  checkPlace(options, invalid);
  const mode = options.sync?.mode ?? "async";
  if (mode !== "async" && mode !== "sync") {
    throw invalid("INVALID_OPTION", `sync.mode is "${String(mode)}"; give "async" or "sync"`);
  }
}

/**
 * Looks the options of `replicas` through.
 *
 * @throws {ConfigError} as {@link checkOptions}.
 */
export function checkReplicasOptions(options: { s3: S3DataProviderOptions["s3"] }): void {
  const invalid = complaintOf("replicas");
  checkShape(options, { s3: SHAPE.s3 as Kind }, "", invalid);
  checkPlace({ file: "-", s3: options.s3 }, invalid);
}

/**
 * Looks the options of `restore` through.
 *
 * @throws {ConfigError} as {@link checkOptions}.
 */
export function checkRestoreOptions(options: { file: string; s3: S3DataProviderOptions["s3"]; to?: unknown }): void {
  const invalid = complaintOf("restore");
  checkShape(options, { file: "string", s3: SHAPE.s3 as Kind, to: "any" }, "", invalid);
  checkPlace(options, invalid);
}

function checkPlace(options: { file: string; s3: S3DataProviderOptions["s3"] }, invalid: Complaint): void {
  for (const [name, value] of [
    ["file", options.file],
    ["s3", options.s3],
    ["s3.bucket", options.s3?.bucket],
    ["s3.databaseName", options.s3?.databaseName],
  ] as const) {
    if (value === undefined || value === "") throw invalid("MISSING_OPTION", `${name} is required`);
  }
  checkCredentials(options.s3.credentials, invalid);
  if (/^\/|\/\/|\/$/.test(options.s3.databaseName)) {
    throw invalid("INVALID_OPTION", "s3.databaseName has an empty part; give a name without a slash at its ends");
  }
}

/** A secret that is named but undefined is a variable of the environment that isn't set. */
function checkCredentials(credentials: S3DataProviderOptions["s3"]["credentials"], invalid: Complaint): void {
  if (credentials === undefined) return;
  for (const name of ["accessKeyId", "secretAccessKey"] as const) {
    if (credentials[name]) continue;
    throw invalid("CREDENTIALS_MISSING", `s3.credentials.${name} is not set; is the variable of the environment?`);
  }
}

function checkShape(value: unknown, shape: { readonly [name: string]: Kind }, path: string, invalid: Complaint): void {
  if (typeof value !== "object" || value === null) {
    throw invalid("INVALID_OPTION", `${path === "" ? "the options" : path} must be an object`);
  }
  for (const [name, given] of Object.entries(value)) {
    const full = path === "" ? name : `${path}.${name}`;
    const kind = shape[name];
    if (kind === undefined) {
      if (path === OPEN) continue;
      const known = Object.keys(shape).join(", ");
      throw invalid("UNKNOWN_OPTION", `${full} is not an option; possible are ${known}`);
    }
    if (given === undefined) continue;
    if (typeof kind === "object") checkShape(given, kind, full, invalid);
    else checkValue(given, kind, full, invalid);
  }
}

function checkValue(given: unknown, kind: Exclude<Kind, object>, path: string, invalid: Complaint): void {
  if (kind === "any") return;
  if (typeof given !== kind) throw invalid("INVALID_OPTION", `${path} must be a ${kind}, not ${typeof given}`);
  if (kind === "number" && !(Number.isSafeInteger(given) && (given as number) >= 0)) {
    throw invalid("INVALID_OPTION", `${path} is ${String(given)}; give a whole number from 0`);
  }
}

type Complaint = (code: string, message: string) => ConfigError;

function complaintOf(caller: string): Complaint {
  return (code, message) => new ConfigError(`${caller}: ${message}`, { code });
}
