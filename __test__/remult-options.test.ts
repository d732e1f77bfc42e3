import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { describe, it } from "node:test";
import { createS3DataProvider, type PersistError, type S3DataProviderOptions } from "holdfast";

describe("createS3DataProvider's options", () => {
  it("that are unknown, missing or impossible are named at once", async () => {
    const good = { file: "never-made/app.sqlite", s3: { bucket: "bucket", databaseName: "name" } };
    const bad: [object, string, RegExp][] = [
      [{ ...good, fiel: "x" }, "UNKNOWN_OPTION", /fiel is not an option/],
      [{ ...good, sync: { lockTTL: 1 } }, "UNKNOWN_OPTION", /sync\.lockTTL/],
      [{ ...good, s3: { ...good.s3, databaseName: undefined } }, "MISSING_OPTION", /s3\.databaseName/],
      [{ ...good, sync: { mode: "eventually" } }, "INVALID_OPTION", /sync\.mode/],
      [{ ...good, sync: { lockTtl: -1 } }, "INVALID_OPTION", /sync\.lockTtl/],
      [{ ...good, file: 7 }, "INVALID_OPTION", /file must be a string/],
    ];
    for (const [options, code, message] of bad) {
      assert.throws(
        () => createS3DataProvider(options as S3DataProviderOptions),
        (error: PersistError) => error.name === "ConfigError" && error.code === code && message.test(error.message),
      );
    }
    const later = createS3DataProvider({ ...good, sync: { lockTtl: 1000, lockRefresh: 2000 } });
    await assert.rejects(later(), { name: "ConfigError", code: "INVALID_OPTION" });
    assert.ok(!existsSync("never-made"), "nothing was touched");
  });
});
