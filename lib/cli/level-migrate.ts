import { isDeepStrictEqual } from "node:util";
import { ConfigError } from "../errors.js";
import { levelAt } from "./level-place.js";
import { loadLevel } from "./load-level.js";
import type { Output } from "./output.js";
import { showProgress } from "./progress.js";

/** How to copy. */
export interface CopyOptions {
  layout: "objects" | "lsm";
  keyFormat?: "utf8" | "hex";
  json: boolean;
}

/** Copies a database into a new one, and shows how far it is. */
export async function migrateLevel(
  from: string,
  to: string,
  { layout, keyFormat }: CopyOptions,
  output: Output,
): Promise<void> {
  const [source, target] = [levelAt(from), levelAt(to)];
  if (!isDeepStrictEqual(source.s3, target.s3)) {
    const message = "both databases are reached at one endpoint and region; give both addresses the same parameters";
    throw new ConfigError(message, { code: "INVALID_SETTINGS" });
  }
  const { S3Level } = await loadLevel();
  const shown = await showProgress(output);
  try {
    const onProgress = ({ entries }: { entries: number }) => shown.show({ phase: "entries", done: entries });
    const options = { layout, s3: target.s3, onProgress, ...(keyFormat === undefined ? {} : { keyFormat }) };
    const copied = await S3Level.migrate(source.location, target.location, options);
    shown.end();
    output.result(copied, `${copied.entries} entries copied, ${copied.bytes} bytes`);
  } finally {
    shown.end();
  }
}
