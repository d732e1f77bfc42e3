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
  it("gives import and require the same classes, all but the door that loads Remult", () => {
    const cjs = require("holdfast") as typeof esm;
    const ofRemult = ["createS3DataProvider", "BetterSqlite3S3DataProvider"];
    const shared = ([name]: [string, unknown]): boolean => name !== "default" && !ofRemult.includes(name);
    const byName = ([a]: [string, unknown], [b]: [string, unknown]): number => (a < b ? -1 : 1);
    const [imported, required] = [esm, cjs].map((module) => Object.entries(module).filter(shared).sort(byName));
    assert.deepEqual(imported, required);
    // One Remult in a process: the door loads the build of the module system that asks.
    assert.equal(typeof esm.createS3DataProvider, "function");
    assert.notEqual(esm.createS3DataProvider, cjs.createS3DataProvider);
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
