// The tarballs, installed as a user installs them.
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { filesOf, type Installation, installPackage, run } from "./installation.mjs";
import { manifestOf } from "./registry.mjs";

let project: Installation;
before(async () => {
  project = await installPackage();
});
after(() => project?.remove());

/** The tarball of the main package, and those of the platforms. */
function tarballs(): { main: string; platforms: string[] } {
  const files = readdirSync(project.tarballs).map((name) => join(project.tarballs, name));
  const isMain = (file: string): boolean => manifestOf(file).name === "holdfast";
  const main = files.find(isMain);
  assert.ok(main, `no tarball of holdfast in ${project.tarballs}`);
  return { main, platforms: files.filter((file) => !isMain(file)) };
}

describe("the tarballs", () => {
  it("hold what a user runs or reads, and neither tests nor sources", () => {
    const allowed =
      /^(package\.json|README\.md|LICENSE|index\.d\.ts|native\.cjs|native\.d\.ts|dist\/(index|lib\/[a-z0-9/-]+)\.(js|mjs|d\.ts|d\.mts))$/;
    const { main, platforms } = tarballs();
    assert.deepEqual(
      filesOf(main).filter((name) => !allowed.test(name)),
      [],
    );
    for (const platform of platforms) {
      const { main: addon } = manifestOf(platform);
      assert.deepEqual(filesOf(platform).sort(), ["README.md", addon, "package.json"].sort(), platform);
    }
  });

  it("run nothing at install, and name each platform by os, cpu and libc", () => {
    const { main, platforms } = tarballs();
    assert.deepEqual(
      [main, ...platforms].filter((file) => "scripts" in manifestOf(file)),
      [],
    );
    const { optionalDependencies, version } = manifestOf(main);
    const expected = platforms.map(manifestOf).map(({ name, version }) => [name, version]);
    assert.deepEqual(optionalDependencies, Object.fromEntries(expected));
    for (const platform of platforms.map(manifestOf)) {
      assert.equal(platform.version, version);
      const { os, cpu, libc } = platform as unknown as Record<string, string[] | undefined>;
      assert.ok(os?.length === 1 && cpu?.length === 1, platform.name);
      assert.equal(libc?.length, os[0] === "linux" ? 1 : undefined, platform.name);
    }
  });
});

describe("an installation without Rust on the PATH", () => {
  it("opens all four doors with import", async () => {
    const { code, output } = await project.node(["doors.mjs"]);
    assert.match(output, /^all doors on /);
    assert.equal(code, 0, output);
  });

  it("opens all four doors with require", async () => {
    const { code, output } = await project.node(["doors.cjs"]);
    assert.match(output, /^all doors on /);
    assert.equal(code, 0, output);
  });

  it("opens all four doors where the built-in objects are frozen", async () => {
    const { code, output } = await project.node(["--frozen-intrinsics", "--no-warnings", "doors.cjs"]);
    assert.match(output, /all doors on /);
    assert.equal(code, 0, output);
  });

  it("opens all four doors in worker threads, several at once", async () => {
    const { code, output } = await project.node(["workers.mjs"]);
    assert.equal(output.match(/all doors on /g)?.length, 4, output);
    assert.equal(code, 0, output);
  });

  it("ends by process.exit() with work under way, as the code says", async () => {
    for (const when of ["store", "storage", "level"]) {
      const ended = await project.node(["exit-in-mid-work.cjs", when]);
      assert.deepEqual([ended.code, ended.signal], [7, null], `${when}: ${ended.output}`);
    }
  });

  it("survives workers that are terminated in mid-call", async () => {
    const { code, signal, output } = await project.node(["terminated-workers.mjs"]);
    assert.deepEqual([code, signal], [0, null], output);
    assert.match(output, /20 workers terminated/);
  });

  it("has a command line", async () => {
    const program = join(project.folder, "node_modules", ".bin", "holdfast");
    const { code, output } = await run(program, ["--version"], project.folder);
    assert.equal(code, 0, output);
    assert.equal(output.trim(), manifestOf(tarballs().main).version);
  });
});
