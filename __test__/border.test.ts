import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { InternalError, PersistError } from "holdfast";
import * as native from "#native";
import { settle } from "../lib/native.ts";

describe("the border", () => {
  it("turns an error of the core into its class, with code, message and details", async () => {
    await assert.rejects(settle(native.failForTest("anything")), (error: PersistError) => {
      assert.equal(error.name, "InternalError");
      assert.equal(error.code, "INTERNAL");
      assert.deepEqual(error.details, { kind: "anything" });
      assert.equal(error.retryable, false);
      return error instanceof Error;
    });
  });

  it("turns a panic into an error, and the process lives on", async () => {
    await assert.rejects(settle(native.failForTest("panic")), /on purpose/);
    await assert.rejects(settle(native.failForTest("again")), /on purpose/);
  });

  it("names every class after itself", () => {
    const error = new InternalError("x", { code: "INTERNAL", cause: "why" });
    assert.equal(error.name, "InternalError");
    assert.equal(error.cause, "why");
    assert.ok(error instanceof PersistError && error instanceof Error);
  });
});
