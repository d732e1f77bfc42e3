export type {
  IS3Descriptor,
  ISmartStorageConfig,
  IStorageCredential,
  IStorageLifecycleRun,
  IStorageTls,
} from "./config.js";
export type { IStorageEvent, StorageEventHandler, StorageEventPattern, StorageEventType } from "./events.js";
export type { Faults, IAddedFault, IStorageFault } from "./faults.js";
export type { IStorageRequest, RequestLog } from "./request-log.js";
export { SmartStorage } from "./smart-storage.js";
export type { StorageSnapshot } from "./snapshot.js";
