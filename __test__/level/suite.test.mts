// The whole suite of abstract-level, on both key formats. With keys as they are, the cases whose keys are no text
// can't run; that such keys are refused is a test of level.test.ts.
import { createRequire } from "node:module";
import { S3Level, type S3LevelOptions } from "holdfast/level";
import { levelServer } from "./server.mts";
import { tapeCases } from "./tape-cases.mts";

const suite = createRequire(import.meta.url)("abstract-level/test") as (options: object) => void;
const { s3, location } = await levelServer();

const BYTE_KEYS =
  /bytes above 196|with byte range|seek\(\) to buffer target|buffer key and buffer keyEncoding|with Buffer key|non-utf8 buffer keys|storage is byte-aware/;

for (const keyFormat of ["hex", "utf8"] as const) {
  const skip = (name: string) =>
    keyFormat === "utf8" && BYTE_KEYS.test(name) ? 'keys that are no text need keyFormat "hex"' : undefined;
  suite({
    test: tapeCases(keyFormat, skip),
    factory: (options?: S3LevelOptions) => new S3Level(location(), { s3, keyFormat, ...options }),
  });
}
