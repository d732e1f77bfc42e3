// All four doors, with `import`. Prints "all doors" when each has kept and given back what it was given.
import { createS3DataProvider, createStore, SmartStorage } from "holdfast";
import { S3Level } from "holdfast/level";
import S3LevelDown from "holdfast/leveldown";
import { describeEntity, Fields, Remult } from "remult";
import { useDoors } from "./use-doors.cjs";

await useDoors({
  SmartStorage,
  createStore,
  createS3DataProvider,
  S3Level,
  S3LevelDown,
  remult: { describeEntity, Fields, Remult },
});
