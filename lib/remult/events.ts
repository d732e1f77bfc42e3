import type { PersistError } from "../errors.js";

/** What replication tells while it works; see {@link S3DataProviderOptions.onEvent}. */
export type S3SyncEvent =
  /** A segment of the log is stored: `index` is its place, `size` its bytes. */
  | { type: "wal_uploaded"; generation: string; index: number; size: number }
  /** A snapshot is stored and counts; `size` in bytes. */
  | { type: "snapshot_uploaded"; generation: string; size: number }
  /** The local file is being made, or completed, from the bucket. */
  | { type: "recovery_started"; generation: string }
  /** The local file is what the bucket holds; `segments` were applied. */
  | { type: "recovery_completed"; generation: string; segments: number }
  /** The lease is ours. */
  | { type: "lock_acquired"; lockId: string }
  /** The lease or the log belongs to somebody else now; nothing more is written. */
  | { type: "lock_lost"; reason: string }
  /** Talking to the bucket failed; `context` says over what. */
  | { type: "sync_error"; error: PersistError; context: string; willRetry: boolean }
  /** The local file had a history of its own; it is kept at `kept`. */
  | { type: "diverged"; kept: string }
  /** The database is open; `recovered` when the local file came from the bucket. */
  | { type: "initialized"; generation: string; recovered: boolean };
