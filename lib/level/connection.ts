import { native, open } from "../native.js";
import { readS3Settings, type S3Source } from "./s3-settings.js";

interface Known {
  readonly settings: string;
  readonly connection: native.LevelConnection;
}

/** Databases that were given the same settings object share its connections. */
const known = new WeakMap<object, Known>();
const DEFAULT = {};

/**
 * The connection that a source stands for. Settings are read again each time, so that renewed credentials count.
 * @throws {ConfigError} `LEVEL_INVALID_OPTION`, naming the setting.
 */
export async function connect(source: S3Source | undefined, location: string): Promise<native.LevelConnection> {
  const data = await readS3Settings(source, location);
  const settings = JSON.stringify(data);
  const key = source ?? DEFAULT;
  const found = known.get(key);
  if (found?.settings === settings) return found.connection;
  const connection = open(native.connectLevel(data));
  known.set(key, { settings, connection });
  return connection;
}
