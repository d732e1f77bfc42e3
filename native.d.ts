/** What a fallible native function answers; only lib/native.ts opens it. */
export type Reply<T> = T | Failure;

/**
 * Which binding artifact the generated loader actually loaded: `'native'` for
 * a native addon, otherwise the `platformArchABI` of the WASI flavor. Every
 * flavor napi-rs can build is listed, because `NAPI_RS_NATIVE_LIBRARY_PATH`
 * can point the loader at a WASI artifact this package does not build itself.
 */
export declare const __napiBindingTarget: 'native' | 'wasm32-wasi' | 'wasm32-wasip1'

/** A connection to an endpoint, which many databases share. */
export declare class LevelConnection {
  /** Opens a database. */
  open(options: LevelOpenOptions): Promise<Reply<LevelDatabase>>
  /** Deletes a database with all of its data. */
  destroy(location: string): Promise<Reply<undefined>>
}

/** A cursor over a range. */
export declare class LevelCursor {
  /** Moves to `seek` if given, then answers the entries that are there: at least one, except at the end. */
  next(entries: number, bytes: number, seek?: Uint8Array | undefined): Promise<Reply<LevelPage>>
  /** Stops what is under way and frees what is held. */
  close(): Promise<Reply<undefined>>
}

/** An open database. */
export declare class LevelDatabase {
  /** A value. */
  get(key: Uint8Array): Promise<Reply<Buffer | undefined | null>>
  /** A value with its ETag. */
  getWithEtag(key: Uint8Array): Promise<Reply<LevelValue | undefined | null>>
  /** The values of many keys. */
  getMany(keys: Uint8Array[]): Promise<Reply<Array<Buffer | undefined | null>>>
  /** Whether many keys are there. */
  hasMany(keys: Uint8Array[]): Promise<Reply<Array<boolean>>>
  /** Stores a value; answers its ETag. */
  put(key: Uint8Array, value: Uint8Array, condition: LevelCondition): Promise<Reply<string>>
  /** Deletes a key. */
  del(key: Uint8Array, ifMatch?: string | undefined | null): Promise<Reply<undefined>>
  /** Applies many writes. */
  batch(writes: Array<LevelWrite>): Promise<Reply<undefined>>
  /** Deletes a range. */
  clear(range: LevelRange): Promise<Reply<undefined>>
  /** A cursor over a range. */
  iterate(range: LevelRange): Reply<LevelCursor>
  /** The requests sent through its connection, by operation. */
  stats(): Record<string, number>
  /** Closes it. */
  close(): void
}

/** Makes a connection; sends nothing. */
export declare function connectLevel(settings: S3SettingsData): Reply<LevelConnection>

/** Answers with a failure of the given kind; `panic` panics. The border's own test. */
export declare function failForTest(kind: string): Promise<Reply<number>>

/** The envelope of an error. */
export interface Failure {
  /** The error. */
  failure: FailureData
}

/** An error as JavaScript receives it. */
export interface FailureData {
  /** Which class of `lib/errors.ts` it becomes. */
  kind: string
  /** The stable code. */
  code: string
  /** What happened and what to do. */
  message: string
  /** Whether the same call may succeed later. */
  retryable: boolean
  /** Details for programs, as JSON. */
  details?: string
}

/** What has to hold for a write: that nothing is there, or an ETag. */
export interface LevelCondition {
  /** Nothing is there. */
  ifNoneMatch: boolean
  /** What is there has this ETag. */
  ifMatch?: string
}

/** How to open a database. */
export interface LevelOpenOptions {
  /** The bucket, with a folder after a slash. */
  location: string
  /** `objects` or `lsm`. */
  layout?: 'objects' | 'lsm'
  /** `utf8` or `hex`. */
  keyFormat?: 'utf8' | 'hex'
  /** Makes what is missing. */
  createIfMissing: boolean
  /** Refuses what is there. */
  errorIfExists: boolean
}

/** Some entries: their keys and values one after the other, and how long each is. */
export interface LevelPage {
  /** Key, value, key, value, … */
  data: Buffer
  /** The length of each; empty at the end of the iteration. */
  lengths: Array<number>
}

/** The bounds of a range; `gte` counts before `gt`, and `lte` before `lt`. */
export interface LevelRange {
  /** After it. */
  gt?: Uint8Array | undefined
  /** From it on. */
  gte?: Uint8Array | undefined
  /** Before it. */
  lt?: Uint8Array | undefined
  /** Up to it. */
  lte?: Uint8Array | undefined
  /** From the last to the first. */
  reverse: boolean
  /** Most entries. */
  limit?: number
  /** Whether values are wanted. */
  values: boolean
  /** Most keys in one list. */
  pageKeys?: number
}

/** A value with its ETag. */
export interface LevelValue {
  /** The value. */
  value: Buffer
  /** The ETag. */
  etag: string
}

/** One write of a batch; a delete where the value is absent. */
export interface LevelWrite {
  /** The key. */
  key: Uint8Array
  /** The value. */
  value?: Uint8Array | undefined
}

/** How to reach an S3 endpoint. What is absent takes the client's default. */
export interface S3SettingsData {
  /** The region. */
  region?: string
  /** The endpoint's URL. */
  endpoint?: string
  /** Whether the bucket is in the path. */
  forcePathStyle?: boolean
  /** The access key's id; unsigned requests without it. */
  accessKeyId?: string
  /** The access key's secret. */
  secretAccessKey?: string
  /** The token of temporary credentials. */
  sessionToken?: string
  /** How often a request is tried in all. */
  maxAttempts?: number
  /** Milliseconds to connect. */
  connectTimeoutMs?: number
  /** Milliseconds for one attempt. */
  attemptTimeoutMs?: number
  /** Milliseconds for all attempts together. */
  operationTimeoutMs?: number
  /** Checksums only where S3 demands them. */
  checksumsWhenRequired?: boolean
}

/** The version of the addon; the front refuses one that does not match its own. */
export declare function version(): string
