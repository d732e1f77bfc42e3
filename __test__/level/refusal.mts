import assert from "node:assert/strict";
import { S3Level, type S3LevelOptions } from "holdfast/level";

/** Why opening failed: the code of the cause. */
export async function refusal(place: string, options: S3LevelOptions): Promise<string> {
  const error = await new S3Level(place, options).open().then(
    () => assert.fail("it opened"),
    (error: { code: string; cause: { code: string } }) => error,
  );
  assert.equal(error.code, "LEVEL_DATABASE_NOT_OPEN");
  return error.cause.code;
}
