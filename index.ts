export * from "./lib/errors.js";
export * from "./lib/remult/index.js";
export * from "./lib/storage/index.js";
export type * from "./lib/store/index.js";
export { adapterCases, createStore, migrate, testAdapter } from "./lib/store/index.js";
