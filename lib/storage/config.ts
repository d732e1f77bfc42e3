/** A pair of keys that may sign requests. */
export interface IStorageCredential {
  /** The public half. */
  accessKeyId: string;
  /** The secret half; never logged. */
  secretAccessKey: string;
  /**
   * The id of the account that the holder belongs to, by which ACLs and policies name it. Default: the account of the
   * first credential, the server's own.
   */
  canonicalId?: string;
  /** The name of the account that listings show. Default `accessKeyId`. */
  displayName?: string;
  /** The address by which grants may name the account. Default none. */
  email?: string;
}

/** A certificate. */
export interface IStorageTls {
  /** The certificate, with those between it and its authority behind it; PEM. */
  certificate: string;
  /** Its private key, PEM; never logged. */
  key: string;
}

/** What a `SmartStorage` is made with. Every field is optional; unknown fields are refused. */
export interface ISmartStorageConfig {
  server?: {
    /** Where to listen, 0 to 65535; 0 takes a free port. Default 3000. */
    port?: number;
    /** An IP address, or `localhost`. Default `0.0.0.0`: every address of the machine. */
    address?: string;
    /** Logs nothing. Default false. */
    silent?: boolean;
    /** The region that signatures must name. Default `us-east-1`. */
    region?: string;
    /**
     * Speaks TLS: with a certificate and its key, both PEM, or with `true` a self-made one for `localhost`, every name
     * below it, the loopback addresses and `address`; clients trust `storage.certificate`. Default false.
     */
    tls?: boolean | IStorageTls;
  };
  storage?: {
    /** The folder of the buckets, made when missing. Default `.nogit/bucketsDir` under the working directory. */
    directory?: string;
    /**
     * Keeps everything in memory, for tests: no file is written, none is left behind, and all is gone after `stop()`.
     * `limits.maxMemory` bounds it. Default false.
     */
    inMemory?: boolean;
    /** Empties the folder at start. Default false. */
    cleanSlate?: boolean;
    /**
     * What an acknowledged write survives: `process`, the process being killed at any point (default), or `disk`,
     * a power cut too.
     */
    durability?: "process" | "disk";
  };
  auth?: {
    /** Refuses requests that are not signed. Default false: signatures are neither needed nor checked. */
    enabled?: boolean;
    /** Who may sign; at least one. Default one pair, `STORAGE` / `STORAGE`. */
    credentials?: IStorageCredential[];
  };
  cors?: {
    /** Answers browsers of other origins. Default false. */
    enabled?: boolean;
    /** Default `["*"]`. */
    allowedOrigins?: string[];
    /** Default `["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS"]`. */
    allowedMethods?: string[];
    /** Default `["*"]`. */
    allowedHeaders?: string[];
    /** Default `["ETag", "x-amz-request-id", "x-amz-version-id"]`. */
    exposedHeaders?: string[];
    /** For how long a browser may remember, in seconds. Default 86400. */
    maxAge?: number;
    /** Whether cookies and the like may be sent. Default false. */
    allowCredentials?: boolean;
  };
  logging?: {
    /** The least important line that is written. Default `info`: a line a request. */
    level?: "error" | "warn" | "info" | "debug";
    /** Lines for people, or one JSON object a line. Default `text`. */
    format?: "text" | "json";
    /** Logs to the standard error stream. Default true. */
    enabled?: boolean;
  };
  limits?: {
    /** The largest object put in one request, in bytes. Default 5 GiB. */
    maxObjectSize?: number;
    /** The most user metadata of an object, in bytes of names and values. Default 2048. */
    maxMetadataSize?: number;
    /**
     * With `storage.inMemory`: the most that objects, their versions, parts and snapshots may take together, in bytes;
     * what does not fit is refused. The index comes on top, about 1 KB an object. Default 1 GiB.
     */
    maxMemory?: number;
    /**
     * How long a client may send or take nothing, in milliseconds: in a request's head or body, in an answer, between
     * two requests. Default 60000.
     */
    idleTimeout?: number;
    /** The most connections at once; more wait to be accepted. Default 10000. */
    maxConnections?: number;
    /** The largest head of a request, in bytes, at least 8192. Default 65536. */
    maxHeaderSize?: number;
    /** The time that a request may take until its answer begins, in milliseconds. Default 300000. */
    requestTimeout?: number;
  };
  monitoring?: {
    /** Answers `GET /_health` to everybody: 200. Default false. */
    health?: boolean;
    /** Answers `GET /_metrics` to everybody, in the text format that Prometheus reads. Default false. */
    metrics?: boolean;
  };
  multipart?: {
    /** Uploads that were begun longer ago are aborted, in days. Default 7. */
    expirationDays?: number;
    /** How often such uploads are looked for, in minutes. Default 60. */
    cleanupIntervalMinutes?: number;
  };
  lifecycle?: {
    /**
     * How long a day of lifecycle rules is, in milliseconds, at least 10: shorter ones let tests see things end.
     * Default 86400000, a real day, which ends at midnight UTC.
     */
    dayLength?: number;
  };
  /**
   * Serves the console, a page for browsers, at `/_console/`; `storage.consoleUrl` tells where. Default false.
   */
  console?: boolean;
  /** Buckets that are made at start unless they exist. Default none. */
  buckets?: string[];
}

/** What one pass over the lifecycle rules of all buckets has ended. */
export interface IStorageLifecycleRun {
  /** Objects: deleted, or hidden by a delete marker where versions are kept. */
  readonly expiredObjects: number;
  /** Versions and delete markers that were not the newest of their key. */
  readonly removedVersions: number;
  /** Delete markers with nothing behind them. */
  readonly removedMarkers: number;
  /** Uploads in parts. */
  readonly abortedUploads: number;
}

/** How a client reaches a server. */
export interface IS3Descriptor {
  /** The host name or address, without scheme and port. */
  endpoint: string;
  /** The port; the real one once a server with `port: 0` has started. */
  port: number;
  /** The access key of the first credential. */
  accessKey: string;
  /** The secret of the first credential. */
  accessSecret: string;
  /** Whether it speaks TLS. */
  useSsl: boolean;
}
