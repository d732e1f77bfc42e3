// What a release changes and what it is made of, without making one.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { PLATFORMS } from "../../scripts/release/platforms.mjs";
import { withRelease, withVersion } from "../../scripts/release/version.mjs";
import { ROOT } from "./installation.mjs";

const read = (name: string): string => readFileSync(join(ROOT, name), "utf8");
const { version, napi } = JSON.parse(read("package.json"));

describe("a release", () => {
  it("has one version in package.json, its lock and Cargo.toml", () => {
    assert.match(read("Cargo.toml"), new RegExp(`\\[workspace\\.package\\]\\nversion = "${version}"`));
    const lock = JSON.parse(read("package-lock.json"));
    assert.deepEqual([lock.version, lock.packages[""].version], [version, version]);
  });

  it("is given its version by one command", () => {
    assert.match(withVersion(read("Cargo.toml"), "9.8.7"), /\[workspace\.package\]\nversion = "9\.8\.7"/);
    const changelog = withRelease(read("CHANGELOG.md"), "9.8.7", "2030-01-02");
    assert.match(changelog, /\n## Unreleased\n\n## 9\.8\.7 - 2030-01-02\n/);
    // The next release finds its section too.
    assert.match(
      withRelease(changelog, "9.8.8", "2030-01-03"),
      /## Unreleased\n\n## 9\.8\.8 - 2030-01-03\n\n## 9\.8\.7/,
    );
  });

  it("builds every platform that package.json names, and the workflow builds the same", () => {
    assert.deepEqual(napi.targets, Object.keys(PLATFORMS));
    const workflow = read(".github/workflows/release.yml");
    const built = [...workflow.matchAll(/\{ target: ([\w-]+),/g)].map((match) => match[1]);
    assert.deepEqual(built, napi.targets);
  });
});
