/** What a fallible native function answers; only lib/native.ts opens it. */
export type Reply<T> = T | Failure;

/**
 * Which binding artifact the generated loader actually loaded: `'native'` for
 * a native addon, otherwise the `platformArchABI` of the WASI flavor. Every
 * flavor napi-rs can build is listed, because `NAPI_RS_NATIVE_LIBRARY_PATH`
 * can point the loader at a WASI artifact this package does not build itself.
 */
export declare const __napiBindingTarget: 'native' | 'wasm32-wasi' | 'wasm32-wasip1'

/** A blob that is being read. */
export declare class BlobHandle {
  /** What is known of the blob. */
  info(): string
  /** How many bytes will come. */
  bytes(): number
  /** The next chunk; null behind the last. */
  next(): Promise<Reply<Buffer | null>>
  /** Lets go of the blob; nothing comes after it. */
  cancel(): Promise<Reply<undefined>>
}

/** A connection to an endpoint, which many databases share. */
export declare class LevelConnection {
  /** Opens a database. */
  open(options: LevelOpenOptions): Promise<Reply<LevelDatabase>>
  /** Deletes a database with all of its data. */
  destroy(location: string): Promise<Reply<undefined>>
  /** Begins to copy the database at a location, or goes on with a copy that was interrupted. */
  migrate(source: string, target: LevelOpenOptions): Promise<Reply<LevelMigration>>
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
  /** How the data is laid out. */
  layout(): 'objects' | 'lsm'
  /** Whether reads see the state at the moment of the call, and snapshots can be taken. */
  hasSnapshots(): boolean
  /** The state at this moment. */
  snapshot(): Reply<LevelSnapshot>
  /** A value, as it is at this moment or in a snapshot. */
  get(key: Uint8Array, snapshot?: LevelSnapshot | undefined | null): Promise<Reply<Buffer | undefined | null>>
  /** A value with its ETag. */
  getWithEtag(key: Uint8Array): Promise<Reply<LevelValue | undefined | null>>
  /** The values of many keys, as they are at this moment or in a snapshot. */
  getMany(keys: Uint8Array[], snapshot?: LevelSnapshot | undefined | null): Promise<Reply<Array<Buffer | undefined | null>>>
  /** Whether many keys are there, at this moment or in a snapshot. */
  hasMany(keys: Uint8Array[], snapshot?: LevelSnapshot | undefined | null): Promise<Reply<Array<boolean>>>
  /** Stores a value; answers its ETag. */
  put(key: Uint8Array, value: Uint8Array, condition: LevelCondition): Promise<Reply<string>>
  /** Deletes a key. */
  del(key: Uint8Array, ifMatch?: string | undefined | null): Promise<Reply<undefined>>
  /** Applies many writes; without `sync` it need not wait until they are stored. */
  batch(writes: Array<LevelWrite>, sync: boolean): Promise<Reply<undefined>>
  /** Deletes the keys of a range that are there at this moment or in a snapshot. */
  clear(range: LevelRange, snapshot?: LevelSnapshot | undefined | null): Promise<Reply<undefined>>
  /** A cursor over a range, at this moment or in a snapshot. */
  iterate(range: LevelRange, snapshot?: LevelSnapshot | undefined | null): Reply<LevelCursor>
  /** The requests sent through its connection, by operation. */
  stats(): Record<string, number>
  /** Closes it, once all that was written is stored. */
  close(): Promise<Reply<undefined>>
}

/** A copy that is under way. */
export declare class LevelMigration {
  /** Copies a piece; answers how far the copy is, or nothing when it is whole. */
  step(): Promise<Reply<LevelMigrationState | undefined | null>>
  /** Closes both databases. */
  close(): Promise<Reply<undefined>>
}

/** The state of a database at one moment, until it is closed. */
export declare class LevelSnapshot {
  /** Frees what it keeps. */
  close(): void
}

/** An open database. */
export declare class ReplicaDatabase {
  /** Runs a statement on its own. */
  execute(sql: string, values: Array<null | number | bigint | string | Uint8Array>): Promise<Reply<SqlRows>>
  /** Begins a transaction. */
  begin(): Promise<Reply<ReplicaTransaction>>
  /** Answers when everything that is committed now is stored. */
  sync(): Promise<Reply<undefined>>
  /** Takes a snapshot. */
  snapshot(): Promise<Reply<undefined>>
  /** How it is doing. */
  status(): Reply<ReplicaStatusData>
  /** Ends, and lets go of the listener. */
  close(): Promise<Reply<undefined>>
}

/** An open follower. */
export declare class ReplicaFollower {
  /** Runs a statement that reads. */
  execute(sql: string, values: Array<null | number | bigint | string | Uint8Array>): Promise<Reply<SqlRows>>
  /** Answers when everything that is stored now is applied. */
  sync(): Promise<Reply<undefined>>
  /** How far it has come. */
  status(): FollowerStatusData
  /** Ends, and lets go of the listener. */
  close(): Promise<Reply<undefined>>
}

/** A transaction that stays open between calls; rolled back when it is given up. */
export declare class ReplicaTransaction {
  /** Runs a statement in the transaction. */
  execute(sql: string, values: Array<null | number | bigint | string | Uint8Array>): Promise<Reply<SqlRows>>
  /** Begins a transaction inside this one. */
  beginNested(): Promise<Reply<undefined>>
  /** Ends the innermost nested transaction. */
  endNested(keep: boolean): Promise<Reply<undefined>>
  /** Commits. */
  commit(): Promise<Reply<undefined>>
  /** Undoes everything. */
  rollBack(): Promise<Reply<undefined>>
}

/** A fault that was added. */
export declare class StorageFaultHandle {
  /** How many requests it has met. */
  get met(): number
  /** Removes it; whether it was still there. */
  remove(): boolean
}

/** A running server. */
export declare class StorageServer {
  /** The port that it listens on. */
  get port(): number
  /** What clients have to trust, PEM. */
  get authority(): string | null
  /** Makes a bucket unless it exists. */
  createBucket(name: string): Promise<Reply<undefined>>
  /** Empties it. */
  reset(): Promise<Reply<undefined>>
  /** Keeps its state. */
  snapshot(): Promise<Reply<StorageState>>
  /** Brings a state back. */
  restore(state: StorageState): Promise<Reply<undefined>>
  /** Forgets a state. */
  forget(state: StorageState): Promise<Reply<undefined>>
  /** Ends what lifecycle rules say. */
  runLifecycle(): Promise<Reply<StorageLifecycleRun>>
  /** Queues events from here on; `wake` is called when some wait. */
  listen(wake: () => void): void
  /** Drops events from here on. */
  unlisten(): void
  /** Takes the oldest events that wait. */
  takeEvents(max: number): StorageEvents
  /** Stops it, once what is in flight is done. */
  stop(): Promise<Reply<undefined>>
  /** The last requests, oldest first. */
  requests(): Array<StorageRequest>
  /** Forgets the requests. */
  clearRequests(): void
  /** Adds a fault. */
  addFault(fault: StorageFault): Reply<StorageFaultHandle>
  /** Removes every fault. */
  clearFaults(): void
}

/** A state that a server keeps. */
export declare class StorageState {}

/** One adapter, open. What it answers is JSON text unless said otherwise. */
export declare class StoreHandle {
  /** Begins an upload. */
  openUpload(key: string, options: BlobOptionsData): Promise<Reply<UploadHandle>>
  /** Opens a blob for reading; null when there is none. */
  openBlob(key: string, range?: ByteRangeData | undefined | null): Promise<Reply<BlobHandle | null>>
  /** What is known of a blob, or null. */
  head(key: string): Reply<string | null> | Promise<Reply<string | null>>
  /** Deletes blobs; says for each whether it was there. */
  deleteBlobs(names: Array<string>): Promise<Reply<boolean[]>>
  /** A page of blobs. */
  listBlobs(query: ListQueryData): Reply<string> | Promise<Reply<string>>
  /** Copies a blob; null when there is none. */
  copyBlob(from: string, to: string): Promise<Reply<string | null>>
  /** A URL that lets anyone get or put the blob for a while. */
  presign(key: string, method: string, expiresS: number): Reply<string> | Promise<Reply<string>>
  /** An entry, or null. */
  entry(space: number, key: string): Reply<string | null> | Promise<Reply<string | null>>
  /** An entry's value, or null. */
  value(space: number, key: string): Reply<string | null> | Promise<Reply<string | null>>
  /** Entries or nulls, in the order of the keys. */
  entries(space: number, names: Array<string>): Reply<string> | Promise<Reply<string>>
  /** A page of entries. */
  list(space: number, query: ListQueryData): Reply<string> | Promise<Reply<string>>
  /** How many entries there are. */
  count(space: number, query: ListQueryData): Reply<number> | Promise<Reply<number>>
  /** A page of events. */
  listEvents(query: EventQueryData): Reply<string> | Promise<Reply<string>>
  /** A stream's version; 0 when it does not exist. */
  streamVersion(stream: string): Reply<number> | Promise<Reply<number>>
  /** A page of streams. */
  streams(after: string | undefined | null, limit: number): Reply<string> | Promise<Reply<string>>
  /** What the adapter can do. */
  capabilities(): string
  /**
   * Has news of what others commit told as JSON, from when this answers until the close: `changed`, pairs of a
   * class and a key, and `appended`; or `gap`, when something may have been missed.
   */
  follow(listener: (news: string) => void): Promise<Reply<undefined>>
  /** Waits for work in flight and lets go of everything. */
  close(): Reply<undefined> | Promise<Reply<undefined>>
  /** This peer's id; null where there are no peers. */
  peerId(): string | null
  /** Where this peer listens. */
  peerAddresses(): Array<string>
  /** The peers that are connected. */
  peers(): string
  /** Has news of peers told as JSON, from now until the close. */
  hearPeers(listener: (news: string) => void): void
  /** Runs the steps in their order; answers with what became of each. */
  commit(steps: Array<StepData>, atomic: boolean): Reply<string> | Promise<Reply<string>>
}

/** An upload under way. */
export declare class UploadHandle {
  /** Takes a copy of the bytes in; answers when there is room for more. */
  write(bytes: Uint8Array): Promise<Reply<undefined>>
  /** Makes the blob visible; answers with what is known of it. */
  finish(): Promise<Reply<string>>
  /** Throws away what came so far. */
  abort(): Promise<Reply<undefined>>
}

/** What a put says beside the bytes. */
export interface BlobOptionsData {
  /** The media type. */
  contentType?: string
  /** The user's own pairs. */
  metadata?: Record<string, string>
  /** It must not exist yet. */
  ifNoneMatch?: boolean
  /** It must exist with this ETag. */
  ifMatch?: string
  /** How many bytes will come, where that is known. */
  size?: number
}

/** A range: `start` and `end` (included), or the `last` bytes. */
export interface ByteRangeData {
  /** The first byte. */
  start?: number
  /** The last byte, included. */
  end?: number
  /** The last so many bytes. */
  last?: number
}

/** Makes a connection; sends nothing. */
export declare function connectLevel(settings: S3SettingsData): Reply<LevelConnection>

/** What a database file says of itself, and what SQLite finds wrong in it. */
export interface DatabaseInspectionData {
  /** Whose file it is. */
  applicationId: number
  /** The version of its schema. */
  schemaVersion: number
  /** Bytes of its pages. */
  bytes: number
  /** What is wrong, in SQLite's words. */
  problems: Array<string>
}

/** Which events to list. */
export interface EventQueryData {
  /** Only of this stream. */
  stream?: string
  /** Only behind this position (before it, when reversed). */
  after?: string
  /** Only from this time on, in milliseconds since the epoch. */
  sinceMs?: number
  /** The newest first. */
  reverse?: boolean
  /** In the order in which they came to this store, where that is another than the stream's. */
  byArrival?: boolean
  /** At most so many. */
  limit: number
}

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

/** What stands in a server's directory, and what is wrong with it. */
export interface FolderInspectionData {
  /** Whether a process has it open now. */
  inUse: boolean
  /** Buckets. */
  buckets: number
  /** Objects, older versions included. */
  objects: number
  /** Their bytes. */
  bytes: number
  /** How many things are wrong. */
  problemCount: number
  /** The first of them. */
  problems: Array<string>
}

/** How far a follower has come. */
export interface FollowerStatusData {
  /** The generation of the log. */
  generation: string
  /** The last segment that is applied. */
  position: number
  /** Milliseconds since it last had all there was. */
  lagMs: number
  /** What went wrong last. */
  lastError?: string
}

/** One generation: a snapshot, and the log behind it. */
export interface GenerationData {
  /** Its id. */
  id: string
  /** The snapshot, when it counts. */
  snapshot?: SnapshotData
  /** Objects of the log. */
  logObjects: number
  /** Their bytes. */
  logBytes: number
  /** Why its description can't be read. */
  problem?: string
}

/** Checks every page of a database file. */
export declare function inspectDatabase(path: string): Reply<DatabaseInspectionData>

/** Checks a server's directory. */
export declare function inspectStorageFolder(path: string): Reply<FolderInspectionData>

/** What a bucket keeps of a database. */
export interface InventoryData {
  /** Oldest first. */
  generations: Array<GenerationData>
  /** The last stored segment. */
  position: number
  /** When the last stored transaction was committed, in milliseconds since the epoch. */
  timeMs: number
  /** Who owned the log last. */
  epoch: number
  /** The lease. */
  lease?: LeaseData
}

/** Who holds a database. */
export interface LeaseData {
  /** For people. */
  holder: string
  /** As ISO 8601. */
  acquiredAt: string
  /** As ISO 8601. */
  expiresAt: string
}

/** What has to hold for a write: that nothing is there, or an ETag. */
export interface LevelCondition {
  /** Nothing is there. */
  ifNoneMatch: boolean
  /** What is there has this ETag. */
  ifMatch?: string
}

/** How far a copy is. */
export interface LevelMigrationState {
  /** Entries copied so far. */
  entries: number
  /** Bytes of keys and values copied so far. */
  bytes: number
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
  /** Milliseconds that a batch of another process may stand before it is completed. */
  batchPatienceMs?: number
  /** Opens it beside its writer, for reading. */
  readOnly?: boolean
  /** Milliseconds that a reader may lag behind. */
  refreshMs?: number
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

/** Which keys to list. */
export interface ListQueryData {
  /** Only keys that start with it. */
  prefix?: string
  /** The first key, included. */
  start?: string
  /** The last key, excluded. */
  end?: string
  /** From the last to the first. */
  reverse?: boolean
  /** The `next` of the page before. */
  after?: string
  /** At most so many. */
  limit: number
  /** Leave the values out. */
  keysOnly?: boolean
  /** Folds what follows it behind the prefix (blobs only). */
  delimiter?: string
}

/** Looks at what a bucket keeps of a database. */
export declare function listReplicas(place: ReplicaPlace): Promise<Reply<InventoryData>>

/** Opens a follower: makes or completes the local file, and follows from there. */
export declare function openFollower(place: ReplicaPlace, file: string, pollMs: number, onEvent: (event: string) => void): Promise<Reply<ReplicaFollower>>

/** Opens a database: takes the lease, makes or completes the local file, begins to replicate. */
export declare function openReplica(options: ReplicaOptions, onEvent: (event: string) => void): Promise<Reply<ReplicaDatabase>>

/** Opens an adapter. `settings` is a `Settings` of the store crate in its JSON form. */
export declare function openStore(settings: any): Promise<Reply<StoreHandle>>

/** Tries a bucket with an object `key`, which is removed again. */
export declare function probeBucket(place: ReplicaPlace, key: string): Promise<Reply<Array<ProbeOutcomeData>>>

/** How a step of a bucket's trial went. */
export interface ProbeOutcomeData {
  /** `List`, `Put`, `ConditionalPut`, `Get` or `Delete`. */
  step: string
  /** What went wrong, when it did. */
  problem?: Failure
}

/** How to open a replicated database. What is absent takes the crate's default. */
export interface ReplicaOptions {
  /** The local file. */
  file: string
  /** Where it is replicated to. */
  place: ReplicaPlace
  /** Acknowledge writes when they are stored. */
  isSync: boolean
  /** Host and process, for people. */
  holder: string
  /** Refuse to make a new database. */
  fileMustExist?: boolean
  /** Milliseconds to wait for another process's lock. */
  busyTimeoutMs?: number
  /** Milliseconds in which commits gather. */
  intervalMs?: number
  /** Bytes of the log from which it is checkpointed. */
  walThresholdBytes?: number
  /** Milliseconds between snapshots. */
  snapshotIntervalMs?: number
  /** Milliseconds back to which every state is kept. */
  retentionMs?: number
  /** Attempts before waiting writes are told. */
  maxRetries?: number
  /** Milliseconds that the lease stands. */
  lockTtlMs?: number
  /** Milliseconds between its renewals. */
  lockRefreshMs?: number
  /** Milliseconds to wait for somebody else's lease. */
  lockWaitMs?: number
  /** Take the lease from whoever holds it. */
  forceLock?: boolean
  /** Go on when the bucket ignores conditional requests. */
  allowUnsafeLock?: boolean
}

/** Where a replicated database is in a bucket. */
export interface ReplicaPlace {
  /** The bucket. */
  bucket: string
  /** Where in the bucket, with a slash at the end. */
  prefix: string
  /** The endpoint. */
  s3: S3SettingsData
}

/** How a database is doing. */
export interface ReplicaStatusData {
  /** The generation of the log. */
  generation: string
  /** The last stored segment. */
  position: number
  /** Who owns the log. */
  epoch: number
  /** Commits of this process. */
  localCommits: number
  /** Those of them that are stored. */
  durableCommits: number
  /** Bytes of the log that are not stored. */
  lagBytes: number
  /** Milliseconds that the oldest commit that is not stored has waited. */
  lagMs: number
  /** Who holds the lease. */
  holder: string
  /** What went wrong last. */
  lastError?: string
}

/** What was restored. */
export interface RestoredData {
  /** The segment whose state it is. */
  position: number
  /** When the last transaction in it was committed, in milliseconds since the epoch. */
  timeMs: number
  /** How many segments were applied. */
  segments: number
  /** Bytes of the file. */
  bytes: number
}

/** Which state to restore: the newest when both are absent. */
export interface RestorePoint {
  /** The state as of this segment. */
  position?: number
  /** The state at this time, in milliseconds since the epoch. */
  timeMs?: number
}

/** Restores a state of a replicated database into a new file. */
export declare function restoreReplica(place: ReplicaPlace, file: string, point: RestorePoint): Promise<Reply<RestoredData>>

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
  /** Without an access key: find credentials as the AWS SDKs do. */
  findCredentials?: boolean
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

/** One snapshot. */
export interface SnapshotData {
  /** When it was stored, in milliseconds since the epoch. */
  createdMs: number
  /** Bytes. */
  bytes: number
  /** The last segment in it. */
  position: number
  /** When the last transaction in it was committed, in milliseconds since the epoch. */
  timeMs: number
}

/** What a statement gave. */
export interface SqlRows {
  /** The columns' names. */
  columns: Array<string>
  /** The rows. */
  rows: Array<Array<null | number | string | Buffer>>
}

/** Starts a server. */
export declare function startStorage(settings: StorageSettings): Promise<Reply<StorageServer>>

/** One change. */
export interface StepData {
  /** `check`, `put`, `delete`, `add`, `append` or `restore`. */
  kind: 'check' | 'put' | 'delete' | 'add' | 'append' | 'restore'
  /** 0 records, 1 kv; without meaning for events. */
  space: number
  /** The key, or the stream. */
  key: string
  /** JSON text: the value, or the payload. */
  value?: string
  /** The version that must be there; 0: none must be there. */
  expected?: number
  /** How long the entry lives, in milliseconds. */
  ttlMs?: number
  /** How much to add. */
  by?: number
  /** The event's own id. */
  id?: string
  /** Of an entry that is restored: its version. */
  version?: number
  /** Of an entry that is restored, in milliseconds since the epoch. */
  createdAt?: number
  /** Of an entry that is restored, in milliseconds since the epoch; of an event, when it happened elsewhere. */
  updatedAt?: number
  /** Of an entry that is restored, in milliseconds since the epoch. */
  expiresAt?: number
}

/** Answers to browsers of other origins. */
export interface StorageCors {
  /** Origins, `*` for any. */
  allowedOrigins: Array<string>
  /** Methods. */
  allowedMethods: Array<string>
  /** Request headers, `*` for any. */
  allowedHeaders: Array<string>
  /** Response headers that scripts may read. */
  exposedHeaders: Array<string>
  /** In seconds. */
  maxAgeS: number
  /** Whether cookies may be sent. */
  allowCredentials: boolean
}

/** A pair of keys. */
export interface StorageCredential {
  /** The public half. */
  accessKeyId: string
  /** The secret half. */
  secretAccessKey: string
  /** The id that ACLs and policies name its holder by. */
  canonicalId?: string
  /** The name that answers show. */
  displayName?: string
  /** The address by which grants may name its holder. */
  email?: string
}

/** A change that stands. */
export interface StorageEvent {
  /** What changed. */
  type: string
  /** By what. */
  operation: string
  /** The bucket. */
  bucket: string
  /** The key. */
  key?: string
  /** In bytes. */
  size?: number
  /** Without quotes. */
  etag?: string
  /** The version. */
  versionId?: string
  /** In milliseconds since the epoch. */
  atMs: number
}

/** Events that waited. */
export interface StorageEvents {
  /** Oldest first. */
  events: Array<StorageEvent>
  /** How many were dropped before them. */
  missed: number
}

/** What goes wrong, and for which requests. */
export interface StorageFault {
  /** Only this operation. */
  operation?: string
  /** Only this bucket. */
  bucket?: string
  /** Only this key. */
  key?: string
  /** How many requests it meets. */
  count?: number
  /** How likely it meets one, 0 to 1. */
  probability?: number
  /** What the draws begin with. */
  seed?: number
  /** Waits that long, in milliseconds. */
  delayMs?: number
  /** Answers with that code. */
  error?: string
  /** Cuts the connection: `before`, `request`, `after` or `response`. */
  cut?: string
  /** Flips a bit of the answer's body. */
  corrupt?: boolean
  /** Where, in bytes. */
  atByte?: number
  /** How fast bodies come. */
  bytesPerSecond?: number
}

/** What one pass over all lifecycle rules has ended. */
export interface StorageLifecycleRun {
  /** Objects. */
  expiredObjects: number
  /** Noncurrent versions and delete markers. */
  removedVersions: number
  /** Delete markers with nothing behind them. */
  removedMarkers: number
  /** Uploads in parts. */
  abortedUploads: number
}

/** One request that was answered. */
export interface StorageRequest {
  /** The name of the operation; `Unknown` when the request named none of this server. */
  operation: string
  /** The bucket. */
  bucket?: string
  /** The key. */
  key?: string
  /** The HTTP status; 0 when the connection was cut. */
  status: number
  /** Length of the request's body, in bytes. */
  bytesIn: number
  /** Length of the answer's body, in bytes. */
  bytesOut: number
  /** When it came, in milliseconds since the epoch. */
  atMs: number
  /** Until the answer began, in milliseconds. */
  durationMs: number
}

/** Every setting of a server. */
export interface StorageSettings {
  /** The folder of the buckets, absolute. */
  directory: string
  /** Keeps everything in memory instead, at most so many bytes. */
  maxMemoryBytes?: number
  /** Whether to empty it first. */
  cleanSlate: boolean
  /** Whether each write is synced. */
  isDurableOnDisk: boolean
  /** An IP address. */
  address: string
  /** 0 takes a free one. */
  port: number
  /** The region of signatures. */
  region: string
  /** Whether requests must be signed. */
  authEnabled: boolean
  /** Who may sign. */
  credentials: Array<StorageCredential>
  /** `undefined` answers no other origin. */
  cors?: StorageCors
  /** In bytes. */
  maxObjectBytes: number
  /** In bytes. */
  maxMetadataBytes: number
  /** In milliseconds. */
  requestTimeoutMs: number
  /** In milliseconds. */
  uploadExpirationMs: number
  /** In milliseconds. */
  uploadCleanupIntervalMs: number
  /** How long a day of lifecycle rules is, in milliseconds. */
  lifecycleDayMs: number
  /** In milliseconds. */
  idleTimeoutMs: number
  /** At once. */
  maxConnections: number
  /** In bytes. */
  maxHeadBytes: number
  /** Speaks TLS with a self-made certificate. */
  hasSelfMadeTls: boolean
  /** Speaks TLS with this one, PEM. */
  tlsCertificate?: string
  /** Its key, PEM. */
  tlsKey?: string
  /** Whether `/_health` is answered. */
  answersHealth: boolean
  /** Whether `/_metrics` is answered. */
  answersMetrics: boolean
  /** Whether `/_console/` is served. */
  servesConsole: boolean
  /** Made at start. */
  buckets: Array<string>
  /** `error`, `warn`, `info` or `debug`; `undefined` logs nothing. */
  logLevel?: string
  /** Whether lines are JSON. */
  logIsJson: boolean
}

/** The version of the addon; the front refuses one that does not match its own. */
export declare function version(): string
