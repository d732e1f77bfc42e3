import { Readable } from 'node:stream';
// @ts-ignore: an optional package; what comes from it is `any` where it is not installed
import { EntityMetadata, SqlCommand, SqlDatabase, SqlImplementation } from 'remult';
// @ts-ignore: an optional package; what comes from it is `any` where it is not installed
import { SqliteCoreDataProvider } from 'remult/remult-sqlite-core-js';

/** What every error of holdfast carries beside its message. */
export interface PersistErrorOptions {
	/** Stable, `SCREAMING_SNAKE_CASE`; `docs/errors.md` says what to do next for each. */
	code: string;
	/** Whether the same call may succeed later. Default false. */
	retryable?: boolean;
	/** What caused it. */
	cause?: unknown;
	/** Facts for programs, for example `{ expected: 3, actual: 4 }`. */
	details?: Readonly<Record<string, unknown>>;
}
/** The base of every error that holdfast throws. */
export declare class PersistError extends Error {
	/** Stable, `SCREAMING_SNAKE_CASE`; `docs/errors.md` says what to do next for each. */
	readonly code: string;
	/** Whether the same call may succeed later. */
	readonly retryable: boolean;
	/** Facts for programs. */
	readonly details: Readonly<Record<string, unknown>>;
	constructor(message: string, options: PersistErrorOptions);
}
/** The thing asked for does not exist. */
export declare class NotFoundError extends PersistError {
}
/** A condition (version, ETag, must-not-exist) did not hold; read again and decide. */
export declare class ConflictError extends PersistError {
}
/** The adapter can't do that; see `store.capabilities`. */
export declare class CapabilityError extends PersistError {
}
/** A setting is missing, unknown, out of range, or contradicts another. */
export declare class ConfigError extends PersistError {
}
/** An argument or a value can't be accepted; nothing was written. */
export declare class ValidationError extends PersistError {
}
/** The other side could not be reached, or refused. */
export declare class ConnectionError extends PersistError {
}
/** It took longer than it was given. */
export declare class TimeoutError extends PersistError {
}
/** The caller aborted it. */
export declare class AbortedError extends PersistError {
}
/** Somebody else holds it. */
export declare class LockedError extends PersistError {
}
/** Stored data is corrupt, foreign, or of a newer format; it was left as it is. */
export declare class IntegrityError extends PersistError {
}
/** It was called after `close()`. */
export declare class ClosedError extends PersistError {
}
/** The disk or the operating system failed. */
export declare class IoError extends PersistError {
}
/** A defect of holdfast; please report it. */
export declare class InternalError extends PersistError {
}
/** What replication tells while it works; see {@link S3DataProviderOptions.onEvent}. */
export type S3SyncEvent = 
/** A segment of the log is stored: `index` is its place, `size` its bytes. */
{
	type: "wal_uploaded";
	generation: string;
	index: number;
	size: number;
}
/** A snapshot is stored and counts; `size` in bytes. */
 | {
	type: "snapshot_uploaded";
	generation: string;
	size: number;
}
/** The local file is being made, or completed, from the bucket. */
 | {
	type: "recovery_started";
	generation: string;
}
/** The local file is what the bucket holds; `segments` were applied. */
 | {
	type: "recovery_completed";
	generation: string;
	segments: number;
}
/** The lease is ours. */
 | {
	type: "lock_acquired";
	lockId: string;
}
/** The lease or the log belongs to somebody else now; nothing more is written. */
 | {
	type: "lock_lost";
	reason: string;
}
/** Talking to the bucket failed; `context` says over what. */
 | {
	type: "sync_error";
	error: PersistError;
	context: string;
	willRetry: boolean;
}
/** The local file had a history of its own; it is kept at `kept`. */
 | {
	type: "diverged";
	kept: string;
}
/** The database is open; `recovered` when the local file came from the bucket. */
 | {
	type: "initialized";
	generation: string;
	recovered: boolean;
};
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
		credentials?: {
			accessKeyId: string;
			secretAccessKey: string;
			sessionToken?: string;
		};
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
interface RemultModules {
	// @ts-ignore: an optional package; what comes from it is `any` where it is not installed
	SqlDatabase: typeof import("remult").SqlDatabase;
	// @ts-ignore: an optional package; what comes from it is `any` where it is not installed
	SqliteCoreDataProvider: typeof import("remult/remult-sqlite-core-js").SqliteCoreDataProvider;
}
interface RemultLoaders {
	remult: () => Promise<unknown>;
	sqlite: () => Promise<unknown>;
}
/** How a replicated database is doing. */
export interface S3ReplicaStatus {
	/** The generation of the log in the bucket. */
	generation: string;
	/** The last stored segment. */
	position: number;
	/** Who owns the log; grows with each new owner. */
	epoch: number;
	/** Commits of this process so far. */
	localCommits: number;
	/** Those of them that are stored. */
	durableCommits: number;
	/** Bytes of the local log that are not stored. */
	lagBytes: number;
	/** How long the oldest commit that is not stored has waited, in ms. */
	lagMs: number;
	/** Who holds the lease. */
	holder: string;
	/** What went wrong last, until something is stored again. */
	lastError?: PersistError;
}
/** What the provider can do beside Remult's `SqlDatabase`. */
export interface S3Replication {
	/** How it is doing. @throws {ClosedError} */
	status(): S3ReplicaStatus;
	/** Resolves when everything that is committed now is in the bucket. @throws {ConnectionError} `NOT_REPLICATED` */
	sync(): Promise<void>;
	/** Takes a snapshot; writers go on meanwhile. */
	snapshot(): Promise<void>;
	/** Stores what is committed, takes a last snapshot when something changed, frees the lease. Twice is fine. */
	close(): Promise<void>;
	[Symbol.asyncDispose](): Promise<void>;
}
/** Remult's `SqlDatabase`, replicated. */
export type ReplicatedSqlDatabase = SqlDatabase & S3Replication;
declare function openImplementation(options: S3DataProviderOptions, remult: RemultModules): Promise<{
	implementation: SqliteCoreDataProvider;
	replication: S3Replication;
}>;
type Opened = Awaited<ReturnType<typeof openImplementation>>;
/**
 * The replication of a {@link BetterSqlite3S3DataProvider}, under the name and with the methods that remult-sqlite-s3
 * gives it. New code finds the same in what `createS3DataProvider` opens.
 */
export declare class S3SyncManager {
	#private;
	/** @param replication Of an open database. */
	constructor(replication: () => S3Replication);
	/** Nothing to do: every commit is seen in SQLite's log. */
	onWrite(): void;
	/** Resolves when everything that is committed now is in the bucket. @throws {ConnectionError} `NOT_REPLICATED` */
	syncWal(): Promise<void>;
	/** The same as {@link syncWal}. */
	sync(): Promise<void>;
	/** Takes a snapshot; writers go on meanwhile. */
	snapshot(): Promise<void>;
	/** Stores what is committed, takes a last snapshot when something changed, frees the lease. */
	close(): Promise<void>;
	/** The generation of the log. */
	getGeneration(): string;
}
/**
 * A replicated database as Remult's `SqlImplementation`, under the name that remult-sqlite-s3 gives it:
 * `await provider.init(); new SqlDatabase(provider)`. `createS3DataProvider` does both.
 */
export declare class BetterSqlite3S3DataProvider implements SqlImplementation {
	#private;
	/** Its replication. */
	readonly sync: S3SyncManager;
	/** @throws {ConfigError} as `createS3DataProvider`. */
	constructor(options: S3DataProviderOptions, loaders?: RemultLoaders);
	/** Opens the database; twice is fine. @throws what opening fails with, as `createS3DataProvider`. */
	init(): Promise<void>;
	/** Whether {@link init} is done. */
	get isInitialized(): boolean;
	/** The generation of the log. */
	get generation(): string;
	/** Resolves when everything that is committed now is in the bucket. @throws {ConnectionError} `NOT_REPLICATED` */
	forceSync(): Promise<void>;
	/** Takes a snapshot. */
	snapshot(): Promise<void>;
	/** Stores what is committed, takes a last snapshot when something changed, frees the lease. */
	close(): Promise<void>;
	end(): Promise<void>;
	createCommand(): SqlCommand;
	getLimitSqlSyntax(limit: number, offset: number): string;
	transaction(action: (sql: SqlImplementation) => Promise<void>): Promise<void>;
	entityIsUsedForTheFirstTime(entity: EntityMetadata): Promise<void>;
	ensureSchema(entities: Parameters<Opened["implementation"]["ensureSchema"]>[0]): Promise<void>;
	wrapIdentifier(name: string): string;
	/** Remult's migrations ask for it. */
	provideMigrationBuilder(builder: Parameters<Opened["implementation"]["provideMigrationBuilder"]>[0]): ReturnType<Opened["implementation"]["provideMigrationBuilder"]>;
}
/** One generation in the bucket: a snapshot, and the log behind it. */
export interface ReplicaGeneration {
	/** Its id; ids sort by time. */
	id: string;
	/** The snapshot, where it counts: when it was stored, bytes, and the oldest point that it leads to. */
	snapshot?: {
		createdAt: Date;
		size: number;
		position: number;
		time: Date;
	};
	/** Objects of the log, and their bytes. */
	log: {
		objects: number;
		size: number;
	};
	/** Why its description can't be read. */
	problem?: string;
}
/** What a bucket keeps of a database. */
export interface ReplicaInventory {
	/** Oldest first. */
	generations: ReplicaGeneration[];
	/** The last stored segment. */
	position: number;
	/** When the last stored transaction was committed. */
	time: Date;
	/** Who owned the log last; grows with each owner. */
	epoch: number;
	/** Who holds the database, or died with it. */
	lease?: {
		holder: string;
		acquiredAt: Date;
		expiresAt: Date;
	};
}
/**
 * Looks at what a bucket keeps of a database: generations, positions, sizes, the lease. Changes nothing.
 *
 * @throws {ConfigError} options that are unknown, missing or impossible. {IntegrityError} naming what is damaged at the
 * log's end. {ConnectionError}
 */
export declare function replicas(options: {
	s3: S3DataProviderOptions["s3"];
}): Promise<ReplicaInventory>;
/** Options of {@link restore}. */
export interface RestoreOptions {
	/** Path of the new file. It must not exist. */
	file: string;
	/** Where the database is, as `createS3DataProvider` takes it. */
	s3: S3DataProviderOptions["s3"];
	/**
	 * A time, for the state before the first transaction that was committed later; or a position, for the state as of
	 * that segment (`status().position`). Default: the newest state.
	 */
	to?: Date | number;
}
/** What {@link restore} made. */
export interface RestoredDatabase {
	/** Path of the new file: a plain SQLite database that nothing replicates. */
	file: string;
	/** The segment whose state it is; 0 for a snapshot of remult-sqlite-s3. */
	position: number;
	/** When the last transaction in it was committed. */
	time: Date;
	/** How many segments of the log were applied. */
	segments: number;
	/** Its size in bytes. */
	size: number;
}
/**
 * Restores a replicated database from its bucket into a new file, as it is now or was at a point that is kept. It
 * takes no lease and changes nothing in the bucket. Everything is verified before the file appears.
 *
 * @throws {ConfigError} options that are unknown, missing or impossible. {ValidationError} `INVALID_POINT`,
 * `FILE_EXISTS`. {NotFoundError} `NO_REPLICA`, and `POINT_NOT_KEPT` with what is kept in `details`. {IntegrityError}
 * naming what is missing or damaged in the bucket. {ConnectionError}, {IoError}
 */
export declare function restore(options: RestoreOptions): Promise<RestoredDatabase>;
/**
 * A data provider for Remult: SQLite in a local file, continuously replicated to a bucket.
 *
 * ```ts
 * export const api = remultApi({
 *   dataProvider: createS3DataProvider({ file: "./mydb.sqlite", s3: { bucket: "my-bucket", databaseName: "my-database" } }),
 *   entities: [Task],
 * });
 * ```
 *
 * The options are checked at once; the database is opened when the answer is first called, and once.
 * When opening fails, the next call tries again.
 *
 * @throws {ConfigError} `UNKNOWN_OPTION`, `MISSING_OPTION`, `INVALID_OPTION`. Opening fails with `LockedError`
 * (`DATABASE_LOCKED`), `IntegrityError`, `CapabilityError` (`CONDITIONAL_WRITES_IGNORED`), `ConnectionError`, `IoError`.
 */
export declare function createS3DataProvider(options: S3DataProviderOptions): () => Promise<ReplicatedSqlDatabase>;
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
/** What an event is about. */
export type StorageEventType = "bucket:created" | "bucket:removed" | "object:created" | "object:removed";
/** A type, or some of them: `object:*`, `bucket:*`, `*`. */
export type StorageEventPattern = StorageEventType | "bucket:*" | "object:*" | "*";
/** A change that is committed. */
export interface IStorageEvent {
	readonly type: StorageEventType;
	/**
	 * What changed it, in the words of S3's event names: `Put`, `Post`, `Copy`, `CompleteMultipartUpload`, `Delete`,
	 * `DeleteMarkerCreated`, `LifecycleExpiration:Delete`,
	 * `LifecycleExpiration:DeleteMarkerCreated`; `CreateBucket`, `DeleteBucket`.
	 */
	readonly operation: string;
	readonly bucket: string;
	/** The key, of an object's event. */
	readonly key?: string;
	/** Of a new object, in bytes. */
	readonly size?: number;
	/** Of a new object, without quotes. */
	readonly etag?: string;
	/** The version that was made or removed, in a bucket that has versioning. */
	readonly versionId?: string;
	/** In milliseconds since 1970-01-01 UTC. */
	readonly atMs: number;
	/** How many events this handler has missed before this one, being more than 10,000 behind; else 0. */
	readonly missed: number;
}
/** Hears events one at a time: the next comes when what it gives back has settled. */
export type StorageEventHandler = (event: IStorageEvent) => unknown;
/** What goes wrong, and for which requests; a field that is left out fits every request. */
export interface IStorageFault {
	/** Only this operation, for example `GetObject`. */
	operation?: string;
	/** Only this bucket. */
	bucket?: string;
	/** Only this key. */
	key?: string;
	/** How many requests it meets before it is gone, at least 1. Default: all, until it is removed. */
	count?: number;
	/** How likely it meets a request that fits, from 0 to 1. Default 1. */
	probability?: number;
	/** What the draws of `probability` begin with, a whole number: the same seed meets the same requests again. */
	seed?: number;
	/** Waits before the operation, in milliseconds. */
	delayMs?: number;
	/** Answers with this S3 error, for example `SlowDown`; the operation does not happen. */
	error?: string;
	/**
	 * Cuts the connection: `before` the operation; in the midst of the `request`'s body, so that it does not happen;
	 * `after` it, when it has happened and the client can't know; in the midst of the `response`'s body.
	 */
	cut?: "before" | "request" | "after" | "response";
	/** Flips a bit of one byte of the answer's body; its headers, checksums too, are those of the true one. */
	corrupt?: boolean;
	/** Where a body is cut or corrupted, in bytes from its beginning. Default: in its middle. */
	atByte?: number;
	/** Lets no more than so many bytes a second through, of the request's body and of the answer's; at least 1. */
	bytesPerSecond?: number;
}
/** A fault that was added. */
export interface IAddedFault {
	/** How many requests it has met so far. */
	readonly met: number;
	/** Removes it; whether it was still there. */
	remove(): boolean;
}
/** Makes a server fail on purpose, for tests of its clients. The first fault that fits a request meets it. */
export declare class Faults {
	#private;
	/**
	 * Adds a fault.
	 *
	 * @throws ValidationError `INVALID_FAULT`, naming the field that can't be used; ClosedError when the server is not running.
	 */
	add(fault: IStorageFault): IAddedFault;
	/** Removes every fault. */
	clear(): void;
}
/** One request that a server answered. */
export interface IStorageRequest {
	/** The name of the operation, for example `PutObject`; `Unknown` when the request named none of this server. */
	readonly operation: string;
	/** The bucket, where one was named. */
	readonly bucket?: string;
	/** The key, where one was named. */
	readonly key?: string;
	/** The HTTP status; 0 when a fault cut the connection. */
	readonly status: number;
	/** The declared length of the request's body, in bytes. */
	readonly bytesIn: number;
	/** The length of the answer's body, in bytes. */
	readonly bytesOut: number;
	/** When it came, in milliseconds since 1970-01-01 UTC. */
	readonly atMs: number;
	/** Until the answer began, in milliseconds. */
	readonly durationMs: number;
}
/**
 * The last 10,000 requests of a server as they were when this was read, oldest first: an array, and `clear()`.
 * A request is in it before its answer is sent.
 */
export declare class RequestLog extends Array<IStorageRequest> {
	#private;
	/** `filter` and its like give plain arrays. */
	static get [Symbol.species](): ArrayConstructor;
	/** Forgets every request, in the server and here. */
	clear(): void;
}
/** A state of a `SmartStorage`, kept by `snapshot()` for `restore()`. */
export declare class StorageSnapshot {
	#private;
	/** Forgets the state and frees what it took. Nothing happens when that is done, or when the server was stopped. */
	release(): Promise<void>;
	/** `release()`, for `await using`. */
	[Symbol.asyncDispose](): Promise<void>;
}
/**
 * An S3-compatible storage server inside this process, on threads of its own: a blocked event loop does not stop it,
 * and its load does not block the event loop. While it runs it keeps the process alive, like `http.Server`.
 *
 * ```js
 * const storage = await SmartStorage.createAndStart({ server: { port: 0 }, buckets: ["assets"] });
 * const { endpoint, port } = await storage.getStorageDescriptor();
 * await storage.stop();
 * ```
 */
export declare class SmartStorage {
	#private;
	/** What goes wrong on purpose. */
	readonly faults: Faults;
	/**
	 * Checks the configuration; starts nothing.
	 *
	 * @throws ConfigError `UNKNOWN_SETTING` or `INVALID_SETTING`, naming the field.
	 */
	constructor(config?: ISmartStorageConfig);
	/** Makes a server and starts it. Fails as the constructor and `start()` do. */
	static createAndStart(config?: ISmartStorageConfig): Promise<SmartStorage>;
	/**
	 * Starts the server; nothing happens when it runs already. It can be started again after `stop()`.
	 *
	 * @throws ConnectionError `PORT_IN_USE`, `PORT_NOT_PERMITTED`, `ADDRESS_UNAVAILABLE`; IoError when the directory
	 *   can't be used; LockedError when another server uses it; ValidationError `INVALID_BUCKET_NAME` for one of
	 *   `buckets`. Nothing is left half-started.
	 */
	start(): Promise<void>;
	/**
	 * Takes no more connections, lets requests in flight finish for at most `limits.requestTimeout`, and closes the
	 * directory. Nothing happens when it is not running.
	 */
	stop(): Promise<void>;
	/**
	 * Makes a bucket; one that exists is a success.
	 *
	 * @throws ValidationError `INVALID_BUCKET_NAME`; ClosedError `NOT_RUNNING`.
	 */
	createBucket(name: string): Promise<{
		name: string;
	}>;
	/**
	 * Empties it in one commit: afterwards there are the buckets of the configuration, and nothing in them. A body that
	 * is on its way in is refused (`OperationAborted`), an object that is being read is read to its end. Faults and
	 * `requests` stay as they are.
	 *
	 * @throws ClosedError `NOT_RUNNING`.
	 */
	reset(): Promise<void>;
	/**
	 * Keeps everything as it is now: buckets with all that is set on them, objects, versions, uploads in parts. It costs
	 * no copy of an object's bytes, and lasts until it is released or the server is stopped.
	 *
	 * @throws ClosedError `NOT_RUNNING`.
	 */
	snapshot(): Promise<StorageSnapshot>;
	/**
	 * Brings back what `snapshot()` kept, as often as wanted. Requests see the one state or the other; bodies and reads
	 * under way fare as with `reset()`.
	 *
	 * @throws NotFoundError `SNAPSHOT_NOT_FOUND` for one that was released, of another server, or of an earlier start;
	 *   ValidationError `INVALID_SNAPSHOT` for what is none; ClosedError `NOT_RUNNING`.
	 */
	restore(snapshot: StorageSnapshot): Promise<void>;
	/**
	 * Goes once over all buckets and ends what their lifecycle rules say, as it happens by itself every hour, and ten
	 * times in a short day; gives what it has ended.
	 *
	 * @throws ClosedError `NOT_RUNNING`.
	 */
	runLifecycle(): Promise<IStorageLifecycleRun>;
	/**
	 * Calls `handler` for each change of that type (`object:created`, `object:removed`, `bucket:created`,
	 * `bucket:removed`; `object:*`, `bucket:*`, `*`), after its commit and in the order of the commits. A handler that
	 * gives back a promise gets the next event when that has settled; one that is more than 10,000 events behind misses
	 * the oldest, and the next event's `missed` says how many. What a handler throws is an uncaught exception. Handlers
	 * stay over `stop()` and `start()`, and do not keep the process alive.
	 *
	 * @returns What ends it.
	 * @throws ValidationError `INVALID_EVENT_TYPE`, `INVALID_EVENT_HANDLER`.
	 */
	on(type: StorageEventPattern, handler: StorageEventHandler): () => void;
	/** As `on()`, for the next event alone; without a handler it is promised. */
	once(type: StorageEventPattern): Promise<IStorageEvent>;
	once(type: StorageEventPattern, handler: StorageEventHandler): () => void;
	/** Ends what `on()` or `once()` began with that very type and handler; nothing happens when there is none. */
	off(type: StorageEventPattern, handler: StorageEventHandler): this;
	/** The same events for `for await`, from this call on; leaving the loop ends it. */
	events(type?: StorageEventPattern): AsyncIterableIterator<IStorageEvent>;
	/** Waits until every handler is done with the events of what was committed before this call. */
	settled(): Promise<void>;
	/**
	 * How clients reach it. Fields of `options` stand for those of the server.
	 *
	 * @throws ClosedError `NOT_RUNNING` for a server with `port: 0` that was never started: its port is not known yet.
	 */
	getStorageDescriptor(options?: Partial<IS3Descriptor>): Promise<IS3Descriptor>;
	/**
	 * What clients have to trust of a server with `tls`, PEM: the authority of its self-made certificate, or the
	 * certificate that was given. `undefined` without TLS, and before the first start.
	 */
	get certificate(): string | undefined;
	/** Where the console is, for a browser on this machine; `undefined` without `console: true` and before the first start. */
	get consoleUrl(): string | undefined;
	/**
	 * The last 10,000 requests since the start, oldest first, as they are now; `storage.requests.clear()` forgets them.
	 * They can be read after `stop()` too.
	 */
	get requests(): RequestLog;
	/** Lets the process end while the server runs. Gives the server back. */
	unref(): this;
	/** Keeps the process alive while the server runs, as it does unless `unref()` was called. Gives the server back. */
	ref(): this;
	/** `stop()`, for `await using`. */
	[Symbol.asyncDispose](): Promise<void>;
}
/** Changes to records, kv and events that are committed together: all of them or none. */
export declare class Atomic {
	#private;
	/** The record must have this version (`null`: it must not exist), or nothing is committed. */
	check(key: string, version: number | null): this;
	/** Puts a record. */
	put(key: string, value: unknown, options?: {
		ttl?: number;
	}): this;
	/** Deletes a record. */
	delete(key: string): this;
	/** Sets a kv value. */
	set(key: string, value: unknown, options?: {
		ttl?: number;
	}): this;
	/** Appends an event. */
	append(stream: string, payload: unknown): this;
	/**
	 * Commits everything in one transaction.
	 * @throws ConflictError `VERSION_CONFLICT` when a check fails; CapabilityError where `capabilities.atomic` is false
	 */
	commit(): Promise<void>;
}
/** What a blob can be put from. */
export type BlobSource = Uint8Array | ArrayBuffer | string | Blob | ReadableStream<Uint8Array> | Readable | AsyncIterable<Uint8Array | string> | Iterable<Uint8Array>;
/** A page of a list. */
export interface Page<T> {
	/** The items, in order. */
	items: T[];
	/** Give it as the `cursor` option for the next page; absent when there is none. Opaque. */
	cursor?: string;
}
/**
 * A list that has not run yet: `await` it for an array, `for await` to stream it in bounded memory, or ask
 * for a `page()` at a time. A list is never cut silently.
 */
export declare class ListQuery<T, P extends Page<T> = Page<T>> implements PromiseLike<T[]>, AsyncIterable<T> {
	#private;
	/** One page: at most `limit` items (default 100), fewer when they are large. */
	page(): Promise<P>;
	/** Streams the items; holds one page at a time. */
	[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined>;
	/** Streams the pages. */
	pages(): AsyncGenerator<P, void, undefined>;
	then<A = T[], B = never>(fulfilled?: ((items: T[]) => A | PromiseLike<A>) | null, rejected?: ((reason: unknown) => B | PromiseLike<B>) | null): Promise<A | B>;
	catch<B = never>(rejected?: ((reason: unknown) => B | PromiseLike<B>) | null): Promise<T[] | B>;
	finally(done?: (() => void) | null): Promise<T[]>;
}
/** What an adapter can do. */
export interface Capabilities {
	/** Several changes in one commit are all or nothing. */
	readonly atomic: boolean;
	/** Commits happen in the order of calls. */
	readonly ordered: boolean;
	/** `blobs.presign` */
	readonly presign: boolean;
	/** What was acknowledged outlives the process. */
	readonly durable: boolean;
	/** Several processes may work on the same store. */
	readonly multiProcess: boolean;
	/** Changes that other processes commit are told as they happen. */
	readonly notifies: boolean;
}
/** A peer that is connected. */
export interface PeerStatus {
	/** Its id. */
	id: string;
	/** Where it is, `ip:port`. */
	address: string;
	/** Whether both held the same when they last compared. */
	inSync: boolean;
	/** Items that came from it and were new. */
	received: number;
	/** Items that were sent to it. */
	sent: number;
}
/** A change that a watch saw. */
export type Change<T> = {
	/** It was put, or set. */
	type: "put";
	/** Its key. */
	key: string;
	/** Its value in this version. */
	value: T;
	/** Its new version. */
	version: number;
} | {
	/** It was deleted, or it expired. */
	type: "delete";
	/** Its key. */
	key: string;
};
/** What to watch: one key, or all that start with a prefix (`""`: all). */
export type WatchTarget = string | {
	prefix: string;
};
/** When a watch ends. */
export interface WatchOptions {
	/** Ends the watch. */
	signal?: AbortSignal;
}
/**
 * Changes as they are committed, from the call of `watch` on. Iterate it once; `break`, `return()`, the signal
 * and closing the store end it. It does not keep the process alive.
 *
 * A reader that is slower than the writers finds at most 1,000 changes, or 16 MiB of JSON, waiting; beyond that
 * the watch ends with a ConflictError `WATCH_OVERFLOW` after the changes that wait: list again, and watch anew.
 */
export declare class Watch<T> implements AsyncIterableIterator<Change<T>> {
	#private;
	[Symbol.asyncIterator](): this;
	/** The next change; `done` when the watch has ended. */
	next(): Promise<IteratorResult<Change<T>, undefined>>;
	/** Ends the watch. */
	return(): Promise<IteratorResult<Change<T>, undefined>>;
	[Symbol.asyncDispose](): Promise<void>;
}
/** What a store tells its listeners, by type. Delivered after the commit, in the order of commits. */
export interface StoreEvents {
	"record:put": {
		key: string;
		value: unknown;
		version: number;
	};
	"record:delete": {
		key: string;
	};
	/** Two peers wrote the same field, that at `path`, without having seen each other's value; the later one stands. */
	"record:conflict": {
		key: string;
		path: string[];
		local: unknown;
		remote: unknown;
	};
	"kv:set": {
		key: string;
		value: unknown;
		version: number;
	};
	"kv:delete": {
		key: string;
	};
	"event:append": {
		stream: string;
		payload: unknown;
		id: string;
		version: number;
		position: string;
	};
	"blob:put": {
		key: string;
		size: number;
	};
	"blob:delete": {
		key: string;
	};
	/** `total` is absent where the size of the source isn't known. */
	"blob:upload:progress": {
		key: string;
		loaded: number;
		total?: number;
	};
	"sync:start": {
		peer: string;
	};
	/** This peer and the other hold the same. */
	"sync:complete": {
		peer: string;
	};
	"sync:error": {
		peer: string;
		error: unknown;
	};
	"sync:offline": Record<string, unknown>;
	"sync:online": Record<string, unknown>;
	"peer:connect": {
		peer: string;
		address: string;
	};
	"peer:disconnect": {
		peer: string;
		reason: string;
	};
	/** A listener threw, or its promise was rejected; or the handler of the subscription of this name did. */
	"listener:error": {
		type: string;
		error: unknown;
		subscription?: string;
	};
}
/** The type of an event. */
export type StoreEventType = keyof StoreEvents;
/** A type, or the beginning of some: `"record:*"`, `"*"`. */
export type StoreEventPattern = StoreEventType | "*" | "record:*" | "kv:*" | "event:*" | "blob:*" | "sync:*" | "peer:*";
/** The events that a pattern matches. */
export type StoreEventOf<P extends StoreEventPattern> = P extends StoreEventType ? StoreEvents[P] : P extends `${infer Start}*` ? StoreEvents[Extract<StoreEventType, `${Start}${string}`>] : never;
/** Hears an event and its type. What it throws reaches `listener:error`; it never breaks a write. */
export type StoreListener<P extends StoreEventPattern = "*"> = (event: StoreEventOf<P>, type: StoreEventType) => unknown;
/** Which items a list gives, in the order of their keys' UTF-8 bytes. */
export interface ListOptions {
	/** Only keys that start with it. */
	prefix?: string;
	/** The first key, included. */
	start?: string;
	/** Where to stop: the first key that is left out. */
	end?: string;
	/** From the last to the first. Default false. */
	reverse?: boolean;
	/** At most so many. Default: all when awaited or streamed, 100 a `page()`. */
	limit?: number;
	/** Begins where the page that gave it ended. */
	cursor?: string;
	/** Leaves the values out (they are `undefined`). Default false. */
	keysOnly?: boolean;
}
/** A blob that is open for reading. Its bytes can be read once. */
export declare class StoredBlob implements BlobInfo {
	#private;
	readonly key: string;
	readonly size: number;
	readonly etag: string;
	readonly contentType: string;
	readonly metadata: Readonly<Record<string, string>>;
	readonly updatedAt: Date;
	/** All bytes (of the range, where one was asked for) in memory. */
	bytes(): Promise<Uint8Array>;
	/** The bytes as UTF-8 text. */
	text(): Promise<string>;
	/** The bytes as parsed JSON. */
	json<T = unknown>(): Promise<T>;
	/** The bytes as a web stream, which asks for a chunk when one is wanted. */
	stream(): ReadableStream<Uint8Array>;
	/** Lets go of the blob without reading it. */
	cancel(): Promise<void>;
}
/** What is known of a blob without reading it. */
export interface BlobInfo {
	/** Its key. */
	key: string;
	/** Its size in bytes. */
	size: number;
	/** Changes with the content. */
	etag: string;
	/** Its media type. */
	contentType: string;
	/** Your own pairs. Lists leave them out on S3. */
	metadata: Readonly<Record<string, string>>;
	/** When it was put. */
	updatedAt: Date;
}
/** What a put says beside the bytes. */
export interface BlobPutOptions {
	/** The media type. Default: what the source suggests. */
	contentType?: string;
	/** Your own pairs: names of lower-case letters, digits and `-`, values of printable ASCII, 2 KB together. */
	metadata?: Readonly<Record<string, string>>;
	/** Only when there is no such blob. Otherwise a ConflictError `BLOB_CHANGED`. */
	ifNoneMatch?: "*" | true;
	/** Only over the blob with this ETag. Otherwise a ConflictError `BLOB_CHANGED`. */
	ifMatch?: string;
	/** Hears how many bytes were taken, and of how many where that is known. */
	onProgress?: (progress: {
		loaded: number;
		total?: number;
	}) => void;
	/** Ends the upload with an AbortedError; nothing is left of it. */
	signal?: AbortSignal;
}
/** A range of bytes: `start` to `end` (both included), or the `last` bytes. */
export type ByteRange = {
	start: number;
	end?: number;
} | {
	last: number;
};
/** Which blobs to list. */
export interface BlobListOptions extends Omit<ListOptions, "keysOnly"> {
	/** Folds what follows it, behind the prefix, into `prefixes` of the page: `"/"` lists a folder. */
	delimiter?: string;
}
/** A page of blobs. */
export interface BlobPage extends Page<BlobInfo> {
	/** What the delimiter folded. */
	prefixes: string[];
}
/** Files, images, backups: bytes of any size, streamed. */
export declare class Blobs {
	#private;
	/**
	 * Puts a blob, whole or not at all. Memory stays bounded whatever its size.
	 * @throws ConflictError `BLOB_CHANGED`, AbortedError `ABORTED`, ValidationError; an error of the source as it is
	 */
	put(key: string, data: BlobSource, options?: BlobPutOptions): Promise<BlobInfo>;
	/**
	 * Opens a blob. Read it once by `bytes()`, `text()`, `json()` or `stream()`, or let go of it by `cancel()`.
	 * @throws NotFoundError `BLOB_NOT_FOUND`; ValidationError `INVALID_RANGE` when no byte lies in the range
	 */
	get(key: string, options?: {
		range?: ByteRange;
	}): Promise<StoredBlob>;
	/** What is known of a blob, or `undefined`. */
	head(key: string): Promise<BlobInfo | undefined>;
	/** Whether the blob exists. */
	has(key: string): Promise<boolean>;
	/** Deletes a blob. Gives back whether it was there. */
	delete(key: string): Promise<boolean>;
	/** Deletes keys, or all under a prefix. Gives back how many there were. */
	deleteMany(target: readonly string[] | {
		prefix: string;
	}): Promise<number>;
	/** Blobs in the order of their keys. With a `delimiter`, `page()` also gives the folded `prefixes`. */
	list(options?: BlobListOptions): ListQuery<BlobInfo, BlobPage>;
	/**
	 * Copies a blob, with its media type and metadata.
	 * @throws NotFoundError `BLOB_NOT_FOUND`
	 */
	copy(from: string, to: string): Promise<BlobInfo>;
	/**
	 * A URL that lets anybody `GET` (default) or `PUT` the blob for `expiresIn` seconds (default 3600, at most
	 * 7 days).
	 * @throws CapabilityError `NOT_SUPPORTED` where `capabilities.presign` is false
	 */
	presign(key: string, options?: {
		expiresIn?: number;
		method?: "GET" | "PUT";
	}): Promise<string>;
}
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
	list(prefix: string): Promise<unknown> | AsyncIterable<{
		key: string;
		value: unknown;
	}> | Iterable<{
		key: string;
		value: unknown;
	}>;
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
	prefixes?: {
		records?: string;
		kv?: string;
		events?: string;
	} | undefined;
	/** How large uploads are cut: `partSize` in bytes (default 8 MiB), `concurrency` parts at once (default 4). */
	multipart?: {
		partSize?: number;
		concurrency?: number;
	} | undefined;
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
	pool?: {
		max?: number;
	} | undefined;
	/** The schema, made when it is missing. Two stores in one database: a schema each. Default `"persist"`. */
	schema?: string | undefined;
}
/** Settings of P2P; the file is that of `path`, and its key lies beside it. */
export interface P2pOptions extends Pick<SqliteOptions, "path"> {
	/** How peers find each other: they share a topic, and look for it by `method`, or on the local network by `mdns`. */
	discovery?: {
		topic: string;
		method?: "mdns" | "dht";
		mdns?: boolean;
	} | undefined;
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
/** What to subscribe to, and the name under which the subscription is remembered. */
export interface SubscribeOptions {
	/** Its checkpoint's name; 1 to 1,024 bytes. */
	name: string;
	/** Only events of this stream; each stream has a checkpoint of its own. Default: of all. */
	stream?: string;
	/** Where to begin when there is no checkpoint yet: behind this event's `position`. Default: the first event. */
	from?: string;
	/** Ends the subscription, as `close()` does. */
	signal?: AbortSignal;
}
/** A durable subscription to events; see `events.subscribe`. */
export declare class Subscription {
	#private;
	/** The name under which it is remembered. */
	readonly name: string;
	private constructor();
	/** The position of the last event that was handled; absent before the first. */
	get position(): string | undefined;
	/**
	 * Ends it: waits for the event that is being handled (unless its handler is what calls) and remembers it.
	 * Closing the store does the same.
	 */
	close(): Promise<void>;
	[Symbol.asyncDispose](): Promise<void>;
}
/** An event as it is stored. */
export interface StoredEvent<T> {
	/** Unique in its stream. */
	id: string;
	/** Its stream. */
	stream: string;
	/** Its payload. */
	payload: T;
	/** When it was appended. */
	timestamp: Date;
	/** Its number in the stream, from 1 without gaps. */
	version: number;
	/** Its place among all events: opaque, and sorts as text in the order in which readers see events. */
	position: string;
}
/** Conditions of an append. */
export interface AppendOptions {
	/** Only when the stream has this version (0: it does not exist). Otherwise a ConflictError. */
	expectedVersion?: number;
	/** The event's own id: the same id and payload sent again is stored once. Default: a new UUID. */
	id?: string;
}
/** One of many events. */
export interface AppendItem<T> extends AppendOptions {
	/** The stream. */
	stream: string;
	/** The payload. */
	payload: T;
}
/** Which events to list. */
export interface EventListOptions {
	/** Only of this stream. Default: of all. */
	stream?: string;
	/** Only appended at or after this time: a Date, milliseconds since the epoch, or an ISO string. */
	since?: Date | number | string;
	/** Only behind this event's `position` (before it, when backward). */
	after?: string;
	/** `"forward"` (default): the oldest first. */
	direction?: "forward" | "backward";
	/** At most so many. Default: all when awaited or streamed, 100 a `page()`. */
	limit?: number;
	/** Begins where the page that gave it ended. */
	cursor?: string;
}
/** Which events to read. */
export interface EventReadOptions {
	/** Only of this stream. Default: of all. */
	stream?: string;
	/** Begins behind this event's `position`. Default: with the first event. */
	from?: string;
	/** Goes on with events as they are appended, until the signal. Default false. */
	live?: boolean;
	/** Ends the reading. */
	signal?: AbortSignal;
}
/** Facts in the order in which they happened. */
export declare class Events<T = unknown> {
	#private;
	/**
	 * Appends an event to a stream.
	 * @throws ConflictError `VERSION_CONFLICT` or `EVENT_ID_TAKEN`; ValidationError
	 */
	append<V extends T>(stream: string, payload: V, options?: AppendOptions): Promise<StoredEvent<V>>;
	/** Appends payloads to a stream, or events to several: all or none where `capabilities.atomic`. */
	appendMany<V extends T>(stream: string, payloads: readonly V[], options?: Pick<AppendOptions, "expectedVersion">): Promise<StoredEvent<V>[]>;
	appendMany<V extends T>(items: readonly AppendItem<V>[]): Promise<StoredEvent<V>[]>;
	/** Events in the order of their positions. */
	list<V extends T = T>(options?: EventListOptions): ListQuery<StoredEvent<V>>;
	/**
	 * Streams events in bounded memory. A live reader ends when its signal is aborted, or with a ClosedError
	 * when the store is closed; it does not keep the process alive.
	 */
	read<V extends T = T>(options?: EventReadOptions): AsyncGenerator<StoredEvent<V>, void, undefined>;
	/**
	 * Hands every event to `handler`, one at a time and in order, and remembers under `name` how far it came: the
	 * next `subscribe` with this name and stream, also of another process, goes on behind it. At least once: after
	 * a crash the last events may come again. A handler that throws is told to `listener:error` and given the
	 * same event again, after 0.1 s and ever more, up to 30 s. It does not keep the process alive.
	 * @throws ConflictError `SUBSCRIPTION_TAKEN` when this store has it open already; ValidationError
	 */
	subscribe<V extends T = T>(options: SubscribeOptions, handler: (event: StoredEvent<V>) => unknown): Promise<Subscription>;
	/** The stream's version; 0 when it does not exist. */
	version(stream: string): Promise<number>;
	/** The streams in the order of their names, with their versions. */
	streams(): ListQuery<{
		stream: string;
		version: number;
	}>;
	/** The same events, with the type of their payloads. */
	typed<U>(): Events<U>;
}
type Verdict<T> = {
	readonly value: T;
	readonly issues?: undefined;
} | {
	readonly issues: readonly {
		readonly message: string;
		readonly path?: readonly unknown[] | undefined;
	}[];
};
/** A schema of any library that follows Standard Schema (zod, valibot, arktype, …). */
export interface StandardSchema<T> {
	readonly "~standard": {
		readonly version: 1;
		readonly vendor: string;
		readonly validate: (value: unknown) => Verdict<T> | Promise<Verdict<T>>;
		readonly types?: {
			readonly input: unknown;
			readonly output: T;
		} | undefined;
	};
}
/** Conditions and lifetime of a set. */
export interface SetOptions {
	/** How long it lives, in milliseconds. Default: for ever. */
	ttl?: number;
	/** Only when it has this version; `null`: only when it does not exist. Otherwise a ConflictError. */
	ifVersion?: number | null;
}
/** A key and its value. */
export interface KvEntry<T> {
	/** The key. */
	key: string;
	/** The value. */
	value: T;
}
/** One of many sets. */
export interface SetItem<T> extends KvEntry<T>, SetOptions {
}
/** Small values by key: settings, sessions, counters, caches. */
export declare class Kv<T = unknown> {
	#private;
	/**
	 * Sets a value.
	 * @throws ConflictError `VERSION_CONFLICT`; ValidationError
	 */
	set(key: string, value: T, options?: SetOptions): Promise<void>;
	/** The value, or `undefined`. */
	get<V extends T = T>(key: string): Promise<V | undefined>;
	/** Deletes a value. Gives back whether it was there. */
	delete(key: string): Promise<boolean>;
	/** Whether there is a value. */
	has(key: string): Promise<boolean>;
	/** Keys and values in the order of the keys. */
	list<V extends T = T>(options?: ListOptions): ListQuery<KvEntry<V>>;
	/** Keys in their order. */
	keys(options?: Omit<ListOptions, "keysOnly">): ListQuery<string>;
	/** The values in the order of the keys; `undefined` where there is none. */
	getMany<V extends T = T>(keys: readonly string[]): Promise<(V | undefined)[]>;
	/** Sets many in one commit: all or none where `capabilities.atomic`. Takes items, a Map or a plain object. */
	setMany(values: readonly SetItem<T>[] | ReadonlyMap<string, T> | Readonly<Record<string, T>>): Promise<void>;
	/** Deletes keys in one commit, or all under a prefix in several. Gives back how many there were. */
	deleteMany(target: readonly string[] | {
		prefix: string;
	}): Promise<number>;
	/**
	 * Adds to a number, which begins at 0, and gives back the sum. An expiry that is set stays.
	 * @throws ValidationError `NOT_A_NUMBER` when something else is stored there
	 */
	increment(key: string, by?: number): Promise<number>;
	/** How many there are. */
	count(options?: Pick<ListOptions, "prefix" | "start" | "end">): Promise<number>;
	/**
	 * Changes of a key, or of all keys under a prefix, from now on, in the order of commits where
	 * `capabilities.ordered`. A watched key also shows, after a moment and in its newest state only, what other
	 * processes did and that it expired; a watched prefix shows what they did where `capabilities.notifies`.
	 * @throws ConflictError `WATCH_OVERFLOW` from the iteration, when its reader fell too far behind
	 */
	watch<V extends T = T>(target: WatchTarget, options?: WatchOptions): Watch<V>;
	/** The same entries, with the type of their values; with a schema, what is set is checked by it first. */
	typed<U>(schema?: StandardSchema<U>): Kv<U>;
}
/** This peer and the others. What they do is told by `store.on("peer:*")`, `"sync:*"` and `"record:conflict"`. */
export declare class P2p {
	#private;
	/** This peer's id: the same each time the store is opened. */
	readonly id: string;
	/** Where this peer listens, each `ip:port`: what others give as `peers`. */
	addresses(): string[];
	/** The peers that are connected now. */
	peers(): PeerStatus[];
}
/** A record as it is stored. */
export interface StoredRecord<T> {
	/** Its key. */
	key: string;
	/** Its value. */
	value: T;
	/** From 1, one more with every put; goes on counting after a delete. */
	version: number;
	/** When it began to exist. */
	createdAt: Date;
	/** When it was last put. */
	updatedAt: Date;
}
/** Conditions and lifetime of a put. */
export interface PutOptions {
	/** Only when it has this version; `null`: only when it does not exist. Otherwise a ConflictError. */
	ifVersion?: number | null;
	/** How long it lives, in milliseconds. Default: for ever. */
	ttl?: number;
}
/** Which records to list. */
export interface RecordListOptions<T> extends ListOptions {
	/** Only records that it says true of, or whose top-level properties equal these. Runs here, page by page. */
	filter?: ((record: StoredRecord<T>) => boolean) | Partial<T>;
}
/** One of many puts. */
export interface PutItem<T> extends PutOptions {
	/** The key. */
	key: string;
	/** The value. */
	value: T;
}
/** Versioned values by key: documents, entities. */
export declare class Records<T = unknown> {
	#private;
	/**
	 * Sets a record.
	 * @throws ConflictError `VERSION_CONFLICT` with `details.expected` and `details.actual`; ValidationError
	 */
	put<V extends T>(key: string, value: V, options?: PutOptions): Promise<StoredRecord<V>>;
	/**
	 * The record.
	 * @throws NotFoundError `RECORD_NOT_FOUND`
	 */
	get<V extends T = T>(key: string): Promise<StoredRecord<V>>;
	/** The record, or `undefined`. */
	find<V extends T = T>(key: string): Promise<StoredRecord<V> | undefined>;
	/** Whether the record exists. */
	has(key: string): Promise<boolean>;
	/**
	 * Deletes a record. Gives back whether it was there.
	 * @throws ConflictError `VERSION_CONFLICT` when `ifVersion` does not hold
	 */
	delete(key: string, options?: {
		ifVersion?: number;
	}): Promise<boolean>;
	/** Records in the order of their keys. */
	list<V extends T = T>(options?: RecordListOptions<V>): ListQuery<StoredRecord<V>>;
	/** Puts many in one commit: all or none where `capabilities.atomic`. */
	putMany<V extends T>(items: readonly PutItem<V>[]): Promise<StoredRecord<V>[]>;
	/** The records in the order of the keys; `undefined` where there is none. */
	getMany<V extends T = T>(keys: readonly string[]): Promise<(StoredRecord<V> | undefined)[]>;
	/** Deletes keys in one commit, or all under a prefix in several. Gives back how many there were. */
	deleteMany(target: readonly string[] | {
		prefix: string;
	}): Promise<number>;
	/**
	 * Replaces a record by what `change` makes of its value; begins again when somebody else was faster.
	 * @throws NotFoundError `RECORD_NOT_FOUND`
	 */
	update<V extends T = T>(key: string, change: (value: V) => V | Promise<V>): Promise<StoredRecord<V>>;
	/** How many records there are. */
	count(options?: Pick<ListOptions, "prefix" | "start" | "end">): Promise<number>;
	/**
	 * Changes of a key, or of all keys under a prefix, from now on, in the order of commits where
	 * `capabilities.ordered`. A watched key also shows, after a moment and in its newest state only, what other
	 * processes did and that it expired; a watched prefix shows what they did where `capabilities.notifies`.
	 * @throws ConflictError `WATCH_OVERFLOW` from the iteration, when its reader fell too far behind
	 */
	watch<V extends T = T>(target: WatchTarget, options?: WatchOptions): Watch<V>;
	/** The same records, with the type of their values; with a schema, what is put is checked by it first. */
	typed<U>(schema?: StandardSchema<U>): Records<U>;
}
/** A store: records, kv, blobs and events. */
export declare class Store {
	#private;
	/** Its name. */
	readonly name: string;
	/** Versioned values by key. */
	readonly records: Records;
	/** Small values by key. */
	readonly kv: Kv;
	/** Bytes of any size. */
	readonly blobs: Blobs;
	/** Facts in order. */
	readonly events: Events;
	/** What its adapters can do; what they can't is a CapabilityError at the call. */
	readonly capabilities: Capabilities;
	/** This peer and the others, where the store is among peers. */
	readonly p2p: P2p | undefined;
	/**
	 * Hears events of a type, or of several (`"record:*"`, `"*"`), after their commit and in its order.
	 * Gives back what ends it.
	 */
	on<P extends StoreEventPattern>(pattern: P, listener: StoreListener<P>): () => void;
	/** As `on`, for the next event only. */
	once<P extends StoreEventPattern>(pattern: P, listener: StoreListener<P>): () => void;
	/** Begins a list of changes that are committed together. */
	atomic(): Atomic;
	/** Waits for work in flight, checkpoints, and lets go of everything. Later calls are ClosedErrors. */
	close(): Promise<void>;
	[Symbol.asyncDispose](): Promise<void>;
}
/**
 * Opens a store. With a name alone it is a SQLite file at `./data/<name>.db`.
 * @throws ConfigError for settings that are unknown, missing or contradict each other; CapabilityError for an
 * adapter that this release does not have; IntegrityError for a file that is foreign, corrupt or newer
 */
export declare function createStore(name: string, options?: StoreOptions): Promise<Store>;
export declare function createStore(options: StoreOptions & {
	name: string;
}): Promise<Store>;
/** How far a migration came. */
export interface MigrateProgress {
	/** What is being copied, or compared. */
	phase: "records" | "kv" | "events" | "blobs" | "subscriptions" | "verify";
	/** How many of this phase are done. */
	done: number;
	/** How many there are; absent where counting them would cost as much as copying. */
	total?: number;
}
/** How to migrate. */
export interface MigrateOptions {
	/** Hears how far it came, after every page. What it throws ends the migration. */
	onProgress?: (progress: MigrateProgress) => void;
	/** Reads everything back afterwards and compares. Default false. */
	verify?: boolean;
	/** Ends the migration; run it again to go on. */
	signal?: AbortSignal;
}
/** What a migration did: how many were copied, and how many were there already. */
export interface MigrateReport {
	records: {
		copied: number;
		kept: number;
	};
	kv: {
		copied: number;
		kept: number;
	};
	events: {
		copied: number;
		kept: number;
	};
	blobs: {
		copied: number;
		kept: number;
	};
	/** Checkpoints of durable subscriptions. */
	subscriptions: {
		copied: number;
		kept: number;
	};
	/** Whether everything was read back and found equal. */
	verified: boolean;
}
/**
 * Copies everything from one store to another: values with their versions, times and expiry, events with their ids,
 * versions and times, blobs with media type and metadata, and how far each durable subscription came.
 *
 * What the destination has already, in the same version or a later one, stays; so a migration that ended half-way is
 * taken up by running it again, and what was written meanwhile is brought over by one more run. Stop the writers of
 * the source before the last one. Memory is bounded by a page of values, or a chunk of a blob.
 *
 * @throws ConflictError `MIGRATION_DIVERGED` when a stream of the destination has other events; IntegrityError
 * `MIGRATION_DIFFERS` when `verify` finds a difference; AbortedError; what either store throws
 */
export declare function migrate(source: Store, destination: Store, options?: MigrateOptions): Promise<MigrateReport>;
/**
 * Makes an adapter that is empty, anew for each case: the four methods themselves, or `{ options, clear }` with the
 * options of a store on it, and what throws its data away.
 */
export type MakeAdapter = () => Made | Promise<Made>;
type Made = PersistAdapter | {
	options: StoreOptions;
	clear?: () => unknown;
};
/** A case of the suite, ready to be run as a test of any framework. */
export interface AdapterCase {
	/** What it is about: `"records"`, `"events"`, … */
	readonly group: string;
	/** What it shows. Unique in its group. */
	readonly name: string;
	/** Runs it. Gives back why it was skipped, or `undefined`; it is rejected when the case fails. */
	run(): Promise<string | undefined>;
}
/** What became of a case. */
export interface CaseReport {
	readonly group: string;
	readonly name: string;
	readonly outcome: "passed" | "failed" | "skipped";
	/** Why it was skipped. */
	readonly reason?: string;
	/** Why it failed. */
	readonly error?: unknown;
}
/** What became of all. */
export interface AdapterReport {
	readonly passed: number;
	readonly failed: number;
	readonly skipped: number;
	readonly cases: readonly CaseReport[];
}
/** How to test. */
export interface TestAdapterOptions {
	/** Hears of each case when it has ended. */
	onCase?: (report: CaseReport) => void;
	/** A case fails after this long, in milliseconds. Default 30,000. */
	timeoutMs?: number;
}
/**
 * The suite that the built-in adapters pass, case by case: `for (const it of await adapterCases(make))
 * test(it.name, it.run)`. Needs no test framework.
 */
export declare function adapterCases(make: MakeAdapter, options?: Pick<TestAdapterOptions, "timeoutMs">): Promise<AdapterCase[]>;
/** Runs the suite that the built-in adapters pass against an adapter of yours, and reports case by case. */
export declare function testAdapter(make: MakeAdapter, options?: TestAdapterOptions): Promise<AdapterReport>;

export {};
