export type { Atomic } from "./atomic.js";
export type { BlobSource } from "./blob-source.js";
export type { BlobInfo, BlobListOptions, BlobPage, BlobPutOptions, Blobs, ByteRange } from "./blobs.js";
export { createStore } from "./create-store.js";
export type { ListOptions } from "./entries.js";
export type { AppendItem, AppendOptions, EventListOptions, EventReadOptions, Events, StoredEvent } from "./events.js";
export type { Kv, KvEntry, SetItem, SetOptions } from "./kv.js";
export type { StoreEventOf, StoreEventPattern, StoreEvents, StoreEventType, StoreListener } from "./lifecycle.js";
export type { ListQuery, Page } from "./list-query.js";
export {
  type MigrateOptions,
  type MigrateProgress,
  type MigrateReport,
  migrate,
} from "./migration/migrate.js";
export type {
  AdapterName,
  AdapterOptions,
  P2pOptions,
  PersistAdapter,
  PostgresConnection,
  PostgresOptions,
  PostgresTls,
  S3Credentials,
  S3Options,
  SqliteOptions,
  StoreOptions,
} from "./options.js";
export type { P2p } from "./p2p.js";
export type { Capabilities, PeerStatus } from "./port.js";
export type { PutItem, PutOptions, RecordListOptions, Records, StoredRecord } from "./records.js";
export type { StandardSchema } from "./schema.js";
export type { Store } from "./store.js";
export type { StoredBlob } from "./stored-blob.js";
export type { SubscribeOptions, Subscription } from "./subscription.js";
export type { AdapterCase, AdapterReport, CaseReport, MakeAdapter, TestAdapterOptions } from "./test-adapter.js";
export { adapterCases, testAdapter } from "./test-adapter.js";
export type { Change, Watch, WatchOptions, WatchTarget } from "./watch.js";
