// The whole suite of abstract-leveldown in its full configuration, on the layout "lsm".
import { createRequire } from "node:module";
import S3LevelDown from "holdfast/leveldown";
import { levelServer } from "./server.mts";
import { tapeCases } from "./tape-cases.mts";

const suite = createRequire(import.meta.url)("abstract-leveldown/test") as (options: object) => void;
const { s3, location } = await levelServer();

suite({
  test: tapeCases("lsm", () => undefined),
  factory: () => new S3LevelDown(location(), s3, { layout: "lsm" }),
  snapshots: true,
  seek: true,
  bufferKeys: true,
  createIfMissing: true,
  errorIfExists: true,
  clear: true,
  getMany: true,
});
