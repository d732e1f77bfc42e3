import { hostname } from "node:os";

import { native, settle, toError } from "../native.js";
import type { S3SyncEvent } from "./events.js";
import type { S3DataProviderOptions } from "./options.js";
import { placeOf, withoutUndefined } from "./place.js";

/** Opens the native database that the options describe. */
export async function openReplica(options: S3DataProviderOptions): Promise<native.ReplicaDatabase> {
  return await settle(native.openReplica(nativeOptions(options), listenerOf(options)));
}

function nativeOptions(options: S3DataProviderOptions): native.ReplicaOptions {
  const { sync = {}, sqliteOptions = {} } = options;
  const lockTtl = sync.lockTtl ?? 60_000;
  return withoutUndefined({
    file: options.file,
    place: placeOf(options.s3),
    isSync: sync.mode === "sync",
    holder: `${hostname()}-${process.pid}`,
    fileMustExist: sqliteOptions.fileMustExist,
    busyTimeoutMs: sqliteOptions.timeout,
    intervalMs: sync.interval,
    walThresholdBytes: sync.walThreshold,
    snapshotIntervalMs: sync.snapshotInterval,
    retentionMs: sync.retention,
    maxRetries: sync.maxRetries,
    lockTtlMs: lockTtl,
    lockRefreshMs: sync.lockRefresh ?? Math.min(30_000, Math.floor(lockTtl / 2)),
    lockWaitMs: sync.lockWait,
    forceLock: sync.forceLock,
    allowUnsafeLock: sync.allowUnsafeLock,
  }) as native.ReplicaOptions;
}

/** Hears the core's events for the application. */
export function listenerOf(options: S3DataProviderOptions): (json: string) => void {
  return (json) => tell(options, json);
}

function tell(options: S3DataProviderOptions, json: string): void {
  const event = toEvent(json);
  try {
    if (options.verbose === true) console.info("holdfast:", options.s3.databaseName, event);
    options.onEvent?.(event);
  } catch (error) {
    process.emitWarning(error instanceof Error ? error : String(error), { code: "HOLDFAST_ON_EVENT" });
  }
}

function toEvent(json: string): S3SyncEvent {
  const event = JSON.parse(json) as S3SyncEvent;
  if (event.type !== "sync_error") return event;
  return { ...event, error: toError(event.error as unknown as native.FailureData) };
}
