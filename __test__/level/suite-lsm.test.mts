// The whole suite of abstract-level on the layout "lsm", with snapshots, implicit and explicit.
import { createRequire } from "node:module";
import { S3Level, type S3LevelOptions } from "holdfast/level";
import { levelServer } from "./server.mts";
import { tapeCases } from "./tape-cases.mts";

const suite = createRequire(import.meta.url)("abstract-level/test") as (options: object) => void;
const { s3, location } = await levelServer();

suite({
  test: tapeCases("lsm", () => undefined),
  factory: (options?: S3LevelOptions) => new S3Level(location(), { s3, layout: "lsm", ...options }),
});
