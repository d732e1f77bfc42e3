// Bundles of esbuild and Vite, in which the package stays external, as docs/install.md says.
import assert from "node:assert/strict";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type Installation, installPackage, run } from "./installation.mjs";

const skip = process.env.HOLDFAST_LONG === "1" ? false : "the long form (npm run test:package) fetches the bundlers";

describe("a bundle", { skip }, () => {
  let project: Installation;
  before(async () => {
    project = await installPackage();
    await project.add("esbuild", "vite");
  });
  after(() => project?.remove());

  /** Runs a bundle in a folder of its own, where only packages that were left external are found. */
  async function runAlone(bundle: string): Promise<string> {
    const folder = mkdtempSync(join(tmpdir(), "holdfast-bundle-"));
    try {
      mkdirSync(join(folder, "node_modules"));
      for (const name of ["holdfast", "remult", "abstract-level", "abstract-leveldown"]) {
        symlinkSync(join(project.folder, "node_modules", name), join(folder, "node_modules", name));
      }
      cpSync(join(project.folder, bundle), join(folder, "bundle.mjs"));
      const { code, output } = await run(process.execPath, ["bundle.mjs"], folder);
      assert.equal(code, 0, output);
      return output;
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  it("of esbuild opens all four doors", async () => {
    const program = join(project.folder, "node_modules", ".bin", "esbuild");
    const settings = ["--bundle", "--platform=node", "--format=esm", "--external:holdfast", "--external:remult"];
    const built = await run(program, ["doors.mjs", ...settings, "--outfile=out/doors.mjs"], project.folder);
    assert.equal(built.code, 0, built.output);
    assert.match(await runAlone(join("out", "doors.mjs")), /all doors on/);
  });

  it("of Vite for a server opens all four doors", async () => {
    const program = join(project.folder, "node_modules", ".bin", "vite");
    const built = await run(program, ["build", "--ssr", "doors.mjs", "--outDir", "out-vite"], project.folder);
    assert.equal(built.code, 0, built.output);
    assert.match(await runAlone(join("out-vite", "doors.mjs")), /all doors on/);
  });
});
