import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { describe, it } from "node:test";
import * as esm from "holdfast";

const ROOT = resolve(import.meta.dirname, "..");
const require = createRequire(import.meta.url);

/** Runs a script in a process of its own, in the package's folder, and gives back what it prints. */
function runScript(script: string, type: "module" | "commonjs"): string {
  return execFileSync(process.execPath, [`--input-type=${type}`, "-e", script], { cwd: ROOT, encoding: "utf8" }).trim();
}

describe("the package", () => {
  it("gives the same classes to import and to require", () => {
    const cjs = require("holdfast") as typeof esm;
    const names = Object.keys(esm)
      .filter((name) => name !== "default")
      .sort();
    assert.deepEqual(names, Object.keys(cjs).sort());
    for (const [name, exported] of Object.entries(cjs))
      assert.equal(new Map(Object.entries(esm)).get(name), exported, name);
  });

  it("loads no optional package until its door is used", () => {
    const script = `require("holdfast"); console.log(Object.keys(require.cache).join("\\n"))`;
    assert.doesNotMatch(runScript(script, "commonjs"), /node_modules/);
  });

  it("loads in both module systems in a process of its own, and lets it end", () => {
    assert.equal(
      runScript(`import { createStore } from "holdfast"; console.log(typeof createStore)`, "module"),
      "function",
    );
    assert.equal(runScript(`console.log(typeof require("holdfast").createStore)`, "commonjs"), "function");
  });

  it("exports each door under its subpath", () => {
    const script = `
      const { S3Level } = require("holdfast/level");
      const S3LevelDown = require("holdfast/leveldown");
      const { createS3DataProvider } = require("holdfast/remult");
      console.log([S3Level, S3LevelDown, createS3DataProvider].map((door) => typeof door + " " + door.name).join());`;
    assert.equal(runScript(script, "commonjs"), "function S3Level,function S3LevelDown,function createS3DataProvider");
    const imports = `
      import { S3Level } from "holdfast/level";
      import S3LevelDown from "holdfast/leveldown";
      import { createS3DataProvider } from "holdfast/remult";
      console.log([S3Level, S3LevelDown, createS3DataProvider].map((door) => typeof door).join());`;
    assert.equal(runScript(imports, "module"), "function,function,function");
  });
});
