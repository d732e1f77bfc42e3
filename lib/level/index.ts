export type { MigrationOptions, MigrationProgress } from "./migrate.js";
export type { LayoutOptions } from "./open-options.js";
export { S3Level, type S3LevelOptions, type WriteConditions, type WriteDurability } from "./s3-level.js";
export type { S3ClientV2, S3ClientV3, S3Credentials, S3Settings, S3Source } from "./s3-settings.js";
