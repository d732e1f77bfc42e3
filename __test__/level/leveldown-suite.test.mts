// The whole suite of abstract-leveldown, in its full configuration except for snapshots, which the objects layout
// does not have. Keys that are no text need the key format "hex"; with "utf8" it runs as s3leveldown runs it.
import { createRequire } from "node:module";
import S3LevelDown from "holdfast/leveldown";
import { levelServer } from "./server.mts";
import { tapeCases } from "./tape-cases.mts";

const suite = createRequire(import.meta.url)("abstract-leveldown/test") as (options: object) => void;
const { s3, location } = await levelServer();

for (const keyFormat of ["hex", "utf8"] as const) {
  suite({
    test: tapeCases(keyFormat, () => undefined),
    factory: () => new S3LevelDown(location(), s3, { keyFormat }),
    snapshots: false,
    seek: true,
    bufferKeys: keyFormat === "hex",
    createIfMissing: true,
    errorIfExists: true,
    clear: true,
    getMany: true,
  });
}
