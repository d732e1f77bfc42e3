// What the README and examples/ show, run as printed.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { describe, it } from "node:test";

const ROOT = resolve(import.meta.dirname, "..");

/** Runs a module in an empty folder and gives back its exit code and what it printed. */
function runModule(file: string): Promise<{ code: number | null; output: string }> {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-example-"));
  return new Promise((done, failed) => {
    const child = spawn(process.execPath, [file], { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (data: Buffer) => (output += data.toString()));
    child.on("error", failed);
    child.on("close", (code) => {
      rmSync(folder, { recursive: true, force: true });
      done({ code, output });
    });
  });
}

describe("the README", () => {
  it("shows code for the four doors before line 40 that runs as printed", async () => {
    const readme = readFileSync(join(ROOT, "README.md"), "utf8");
    const sample = /```js\n([\s\S]*?)```/.exec(readme);
    assert.ok(sample?.[1] !== undefined, "README.md has no ```js sample");
    const endLine = readme.slice(0, sample.index + sample[0].length).split("\n").length;
    assert.ok(endLine < 40, `the sample ends in line ${endLine}`);
    // In the package's own folder, so that `import "holdfast"` is this package.
    const file = join(ROOT, `readme-sample-${process.pid}.mjs`);
    const closing =
      "await (await dataProvider()).end();\nawait db.close();\nawait store.close();\nawait storage.stop();\n";
    writeFileSync(file, `${sample[1]}\n${closing}`);
    try {
      const { code, output } = await runModule(file);
      assert.equal(code, 0, output);
      assert.match(output, /users\/ada 1/);
      assert.match(output, /b 2/);
    } finally {
      rmSync(file);
    }
  });
});

describe("examples/", () => {
  for (const name of readdirSync(join(ROOT, "examples")).filter((file) => file.endsWith(".mjs"))) {
    it(`${name} runs to its end`, async () => {
      const { code, output } = await runModule(join(ROOT, "examples", name));
      assert.equal(code, 0, output);
    });
  }
});
