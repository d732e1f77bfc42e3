/** Options of `createStore`: what users write. */

/** A backend of your own: four methods, from which records, kv, blobs and events are all made. */
export interface PersistAdapter {
  /** The value under a key, or `undefined`. */
  get(key: string): Promise<unknown>;
  /** Sets the value under a key. */
  put(key: string, value: unknown): Promise<unknown>;
  /** Deletes a key; one that is not there is no error. */
  delete(key: string): Promise<unknown>;
  /** Every key that starts with the prefix, with its value, in any order. */
  list(
    prefix: string,
  ): Promise<unknown> | AsyncIterable<{ key: string; value: unknown }> | Iterable<{ key: string; value: unknown }>;
}

/** Where a store can live. */
export type AdapterName = "sqlite" | "postgres" | "s3" | "p2p" | "memory";

/** Settings of SQLite. */
export interface SqliteOptions {
  /** The file. Default `./data/<name>.db`; its folder is made. */
  path?: string | undefined;
  /** Readers beside the writer. Default true. */
  walMode?: boolean | undefined;
  /** How long to wait for another process, in milliseconds. Default 5000. */
  busyTimeout?: number | undefined;
  /** When to sync to the disk. Default `"normal"`: at checkpoints. */
  synchronous?: "off" | "normal" | "full" | undefined;
  /** The WAL is cut to this after a checkpoint, in bytes. Default 64 MiB. */
  journalSizeLimit?: number | undefined;
  /** Page cache of each connection, in KiB. Default 8192. */
  cacheSize?: number | undefined;
  /** Memory-mapped bytes. Default 0. */
  mmapSize?: number | undefined;
}

/** Keys of an S3 account. */
export interface S3Credentials {
  /** The public half. */
  accessKeyId: string | undefined;
  /** The secret half. */
  secretAccessKey: string | undefined;
  /** Of temporary credentials. */
  sessionToken?: string | undefined;
}

/** Settings of S3 and everything that speaks it. */
export interface S3Options {
  /** The bucket. */
  bucket?: string | undefined;
  /** The region. Default `"us-east-1"`; `"auto"` for R2. */
  region?: string | undefined;
  /** The endpoint. Default: AWS. */
  endpoint?: string | undefined;
  /** Default: the environment's `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`. */
  credentials?: S3Credentials | undefined;
  /** The bucket in the path, not in the host name. Default true with an endpoint, false without. */
  forcePathStyle?: boolean | undefined;
  /** What every key in the bucket begins with. Default: nothing. */
  prefix?: string | undefined;
  /** Where records, kv and events lie. Defaults `.persist/records/`, `.persist/kv/`, `.persist/events/`. */
  prefixes?: { records?: string; kv?: string; events?: string } | undefined;
  /** How large uploads are cut: `partSize` in bytes (default 8 MiB), `concurrency` parts at once (default 4). */
  multipart?: { partSize?: number; concurrency?: number } | undefined;
}

/** How connections to Postgres are encrypted. Texts in PEM. */
export interface PostgresTls {
  /** Check the server's certificate and name. Default true. */
  rejectUnauthorized?: boolean | undefined;
  /** Authorities that are believed. Default: those of the machine. */
  ca?: string | Uint8Array | (string | Uint8Array)[] | undefined;
  /** The client's own certificate. */
  cert?: string | Uint8Array | undefined;
  /** Its key. */
  key?: string | Uint8Array | undefined;
}

/** Where a Postgres server is. */
export interface PostgresConnection {
  /** A name, an address, or the folder of a Unix socket. Default `"localhost"`. */
  host?: string | undefined;
  /** Default 5432. */
  port?: number | undefined;
  /** Default: the user's name. */
  database?: string | undefined;
  /** Default: the name of the process's user. */
  user?: string | undefined;
  /** Its password. A password that is named but undefined is a ConfigError. */
  password?: string | undefined;
  /**
   * `true`: encrypted, with a certificate that an authority of the machine vouches for; an object: as it says;
   * `false`: not encrypted. Default: encrypted where the server can, without a look at its certificate.
   */
  ssl?: boolean | PostgresTls | undefined;
}

/** Settings of Postgres. */
export interface PostgresOptions {
  /** Where the server is. */
  connection?: PostgresConnection | undefined;
  /** The same as a URL, `sslmode` and `sslrootcert` included. What both say must be the same. */
  connectionString?: string | undefined;
  /** `max` connections, 1 to 1,000 (default 10); one more listens while somebody watches or reads live. */
  pool?: { max?: number } | undefined;
  /** The schema, made when it is missing. Two stores in one database: a schema each. Default `"persist"`. */
  schema?: string | undefined;
}

/** Settings of P2P; the file is that of `path`, and its key lies beside it. */
export interface P2pOptions extends Pick<SqliteOptions, "path"> {
  /** How peers find each other: they share a topic, and look for it by `method`, or on the local network by `mdns`. */
  discovery?: { topic: string; method?: "mdns" | "dht"; mdns?: boolean } | undefined;
  /** What peers must know beside the topic. Without one, who guesses the topic is a peer. */
  secret?: string | undefined;
  /** Where to listen, an address and a port. Default `"0.0.0.0:0"`. */
  listen?: string | undefined;
  /** Addresses of peers to dial, `host:port`. */
  peers?: readonly string[] | undefined;
  /** At most so many peers, 1 to 256. Default 32. */
  maxPeers?: number | undefined;
}

/** One adapter with its settings, nested under its name or flat. */
export interface AdapterOptions extends SqliteOptions, S3Options, PostgresOptions, P2pOptions {
  /** Where to store. Default `"sqlite"`. */
  adapter?: AdapterName | PersistAdapter | undefined;
  /** Settings of SQLite, nested. */
  sqlite?: SqliteOptions | undefined;
  /** Settings of S3, nested. */
  s3?: S3Options | undefined;
  /** Settings of Postgres, nested. */
  postgres?: PostgresOptions | undefined;
  /** Settings of P2P, nested. */
  p2p?: P2pOptions | undefined;
}

/** Options of a store. Each class may name an adapter of its own. */
export interface StoreOptions extends AdapterOptions {
  /** Where records live, when elsewhere. */
  records?: AdapterOptions | undefined;
  /** Where kv lives, when elsewhere. */
  kv?: AdapterOptions | undefined;
  /** Where blobs live, when elsewhere. */
  blobs?: AdapterOptions | undefined;
  /** Where events live, when elsewhere. */
  events?: AdapterOptions | undefined;
}
