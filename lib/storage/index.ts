export type { IS3Descriptor, ISmartStorageConfig, IStorageCredential, IStorageLifecycleRun } from "./config.js";
export type { Faults, IStorageFault } from "./faults.js";
export type { IStorageRequest, RequestLog } from "./request-log.js";
export { SmartStorage } from "./smart-storage.js";
export type { StorageSnapshot } from "./snapshot.js";
