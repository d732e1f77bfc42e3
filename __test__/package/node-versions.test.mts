// The same addon in every supported Node, with import and require, in threads, and ended in mid-work.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type Installation, installPackage } from "./installation.mjs";
import { nodeProgram } from "./node-builds.mjs";

const VERSIONS = ["20", "22", "24", "latest"];

/** Ways to start the programs of the project, and how each ends. */
const CASES = [
  { name: "opens all four doors with import", args: ["doors.mjs"], printed: /all doors on/g, times: 1 },
  { name: "opens all four doors with require", args: ["doors.cjs"], printed: /all doors on/g, times: 1 },
  {
    name: "opens all four doors where the built-in objects are frozen",
    args: ["--frozen-intrinsics", "--no-warnings", "doors.cjs"],
    printed: /all doors on/g,
    times: 1,
  },
  { name: "opens all four doors in worker threads", args: ["workers.mjs"], printed: /all doors on/g, times: 4 },
  {
    name: "survives 80 workers that are terminated in mid-call",
    args: ["terminated-workers.mjs", "80"],
    printed: /80 workers terminated/g,
    times: 1,
  },
  { name: "ends by process.exit() with work under way", args: ["exit-in-mid-work.cjs", "storage"], exit: 7 },
];

const long = process.env.HOLDFAST_LONG === "1";
const skip = !long
  ? "the long form (npm run test:package) fetches four builds of Node"
  : process.platform === "linux" && process.arch === "x64"
    ? false
    : "the builds of Node are for Linux on x64";

describe("in every supported Node", { skip }, () => {
  let project: Installation;
  before(async () => {
    project = await installPackage();
  });
  after(() => project?.remove());

  for (const version of VERSIONS) {
    describe(`Node ${version}`, () => {
      for (const { name, args, printed, times, exit = 0 } of CASES) {
        it(name, async () => {
          const { code, signal, output } = await project.node(args, nodeProgram(version, "x64"));
          assert.deepEqual([code, signal], [exit, null], output);
          if (printed !== undefined) assert.equal(output.match(printed)?.length, times, output);
        });
      }
    });
  }
});
