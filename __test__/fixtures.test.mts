// The fixtures, in the runners that they are made for: the examples of examples/testing/, each run as a user would.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { before, describe, it } from "node:test";

const ROOT = resolve(import.meta.dirname, "..");
const RUNNERS = join(ROOT, "__test__", "runners");
const EXAMPLES = join(ROOT, "examples", "testing");

/** Runs a program to its end; gives its exit code and all that it printed. */
function run(program: string, args: string[], cwd: string): Promise<{ code: number; output: string }> {
  const { NODE_TEST_CONTEXT: _, NODE_OPTIONS: __, ...env } = process.env;
  return new Promise((done) => {
    execFile(program, args, { cwd, env: { ...env, CI: "1" }, maxBuffer: 16 << 20 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : 1;
      done({ code, output: `${stdout}${stderr}` });
    });
  });
}

describe("holdfast/node-test", () => {
  it("isolates the tests of a file", async () => {
    const { code, output } = await run(process.execPath, ["--test", join(EXAMPLES, "node-test.test.mjs")], ROOT);
    assert.equal(code, 0, output);
    assert.match(output, /# pass 3/);
  });

  it("fails where a test leaves the runner's hooks out", async () => {
    const script = `require("holdfast/jest").useStorage()`;
    const { code, output } = await run(process.execPath, ["-e", script], ROOT);
    assert.notEqual(code, 0);
    assert.match(output, /NO_TEST_RUNNER/);
  });
});

describe("holdfast/vitest and holdfast/jest", () => {
  before(async () => {
    if (existsSync(join(RUNNERS, "node_modules", ".bin", "jest"))) return;
    const install = ["install", "--no-save", "--include=dev", "--no-audit", "--no-fund"];
    const { code, output } = await run("npm", install, RUNNERS);
    assert.equal(code, 0, `vitest and jest can't be installed: ${output.slice(-300)}`);
  });

  const cases = [
    { runner: "vitest", example: "vitest.test.mjs", args: ["run", "--root", "."], passed: /3 passed/ },
    { runner: "jest", example: "jest.test.cjs", args: ["--rootDir", "."], passed: /Tests:\s+3 passed/ },
  ];
  for (const { runner, example, args, passed } of cases) {
    it(`isolates the tests of a file in ${runner}`, async () => {
      const folder = join(RUNNERS, `run-${runner}`);
      mkdirSync(folder, { recursive: true });
      try {
        copyFileSync(join(EXAMPLES, example), join(folder, example));
        writeFileSync(
          join(folder, "jest.config.cjs"),
          `module.exports = { transform: {}, testMatch: ["**/*.test.cjs"] };\n`,
        );
        const program = join(RUNNERS, "node_modules", ".bin", runner);
        const { code, output } = await run(program, args, folder);
        assert.equal(code, 0, output);
        assert.match(output, passed);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    });
  }
});
