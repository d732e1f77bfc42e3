// The addon for arm64, run in an emulator by the official Node for it.
import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { emulatedArm64 } from "../../scripts/release/emulator.mjs";
import { type Installation, installPackage, run } from "./installation.mjs";
import { nodeProgram } from "./node-builds.mjs";

const tarballs = process.env.HOLDFAST_TARBALLS ?? "";
const isPacked = existsSync(tarballs) && readdirSync(tarballs).some((name) => name.includes("linux-arm64-gnu"));
const skip =
  process.env.HOLDFAST_LONG !== "1"
    ? "the long form (npm run test:package) runs arm64 in an emulator"
    : !isPacked && "npm run package did not make the package of linux-arm64-gnu";

describe("on arm64", { skip }, () => {
  let project: Installation;
  before(async () => {
    project = await installPackage({ flags: ["--cpu=arm64", "--os=linux", "--libc=glibc"] });
  });
  after(() => project?.remove());

  for (const version of ["20", "latest"]) {
    it(`opens all four doors in Node ${version}`, async () => {
      const [emulator, ...args] = emulatedArm64(nodeProgram(version, "arm64"));
      const { code, output } = await run(emulator as string, [...args, "doors.mjs"], project.folder);
      assert.equal(code, 0, output);
      assert.match(output, /all doors on v\S+ arm64/);
    });
  }

  it("passes the conformance suite on memory and on SQLite", async () => {
    const [emulator, ...args] = emulatedArm64(nodeProgram("24", "arm64"));
    const { code, output } = await run(emulator as string, [...args, "conformance.mjs"], project.folder);
    assert.equal(code, 0, output);
    assert.match(output, /memory: \d+ passed, 0 failed, \d+ skipped on arm64/);
    assert.match(output, /sqlite: \d+ passed, 0 failed, \d+ skipped on arm64/);
  });
});
