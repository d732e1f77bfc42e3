// The package's types, as the tarball gives them to users: of every kind of import, in the oldest and the newest TypeScript.
import assert from "node:assert/strict";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type Installation, installPackage, run } from "./installation.mjs";

const TYPESCRIPTS = { "5.0": "typescript-5-0", newest: "typescript-newest" };

/** TypeScript's ways to find a module, each with a kind of module that goes with it. */
const RESOLUTIONS = [
  { resolution: "nodenext", module: "nodenext", file: "use.mts" },
  { resolution: "nodenext", module: "nodenext", file: "use.cts" },
  { resolution: "bundler", module: "esnext", file: "use.mts" },
];

/** What a user of the front door writes; the types are wrong where `@ts-expect-error` finds nothing to expect. */
const USE = `
import { createS3DataProvider, createStore, NotFoundError, SmartStorage } from "holdfast";

export async function use(): Promise<string> {
  const store = await createStore("shop");
  const { version } = await store.records.put("users/ada", { name: "Ada" });
  const count: number = await store.kv.increment("visits", 1);
  // @ts-expect-error: a version is no text
  const wrong: string = version;
  const storage = await SmartStorage.createAndStart({ server: { port: 0 } });
  const { endpoint, port } = await storage.getStorageDescriptor();
  const provider = createS3DataProvider({ file: "a.sqlite", s3: { bucket: "b", databaseName: "c" } });
  // @ts-expect-error: no such option
  createS3DataProvider({ fail: "a.sqlite", s3: { bucket: "b", databaseName: "c" } });
  return [endpoint, port, count, wrong, provider, NotFoundError.name].join();
}
`;

/** What a user of all subpaths writes beside it. */
const USE_ALL = `
import { S3Level } from "holdfast/level";
import S3LevelDown from "holdfast/leveldown";
import { replicas } from "holdfast/remult";
import { useStorage } from "holdfast/node-test";

export const db = new S3Level("bucket/place");
export const value: Promise<string | undefined> = db.get("a");
export const down = new S3LevelDown("bucket/place");
export const asked = replicas({ s3: { bucket: "b", databaseName: "c" } }).then(({ position }): number => position);
export const storage = useStorage({ buckets: ["assets"] });
// @ts-expect-error: a place is a text
new S3Level(7);
`;

const skip =
  process.env.HOLDFAST_LONG === "1" ? false : "the long form (npm run test:package) fetches compilers of TypeScript";

let project: Installation;
before(async () => {
  if (skip !== false) return;
  project = await installPackage({ peers: ["@types/node@20"] });
  await project.add(
    "publint",
    "@arethetypeswrong/cli",
    ...["5.0", "latest"].map((version, index) => `${Object.values(TYPESCRIPTS)[index]}@npm:typescript@${version}`),
  );
});
after(() => project?.remove());

/** Compiles `use.mts` and `use.cts` strictly, declarations of packages included. */
async function compiles(text: string, more: string[] = []): Promise<void> {
  for (const file of ["use.mts", "use.cts"]) writeFileSync(join(project.folder, file), text);
  for (const name of Object.values(TYPESCRIPTS)) {
    for (const { resolution, module, file } of RESOLUTIONS) {
      const program = join(project.folder, "node_modules", name, "bin", "tsc");
      const settings = ["--noEmit", "--strict", "--target", "es2022", "--types", "node", "--esModuleInterop", ...more];
      const args = [program, ...settings, "--module", module, "--moduleResolution", resolution, file];
      const { code, output } = await project.node(args);
      assert.equal(code, 0, `${name}, ${resolution}, ${file}:\n${output}`);
    }
  }
}

describe("the types of the package", { skip }, () => {
  it("need none of the optional packages, and no skipLibCheck", async () => {
    await compiles(USE);
  });

  it("are of the optional packages where these are installed", async () => {
    await project.add("remult@3", "abstract-level@3", "abstract-leveldown@7");
    const ofRemult = `
import { Remult } from "remult";
export const repository = createS3DataProvider({ file: "a", s3: { bucket: "b", databaseName: "c" } })()
  .then((database) => new Remult(database));
// @ts-expect-error: it is not any
createS3DataProvider({ file: "a", s3: { bucket: "b", databaseName: "c" } })().then((database) => database.nothing);
`;
    // Remult's own declarations do not stand under TypeScript 5.0.
    await compiles(`${USE}${USE_ALL}${ofRemult}`, ["--skipLibCheck"]);
  });

  it("are right for publint, strictly", async () => {
    const { code, output } = await project.node([
      join("node_modules", "publint", "src", "cli.js"),
      "--strict",
      join("node_modules", "holdfast"),
    ]);
    assert.equal(code, 0, output);
    assert.match(output, /All good/);
  });

  it("are right for attw, in every kind of import", async () => {
    const tarball = readdirSync(project.tarballs).find((name) => /^holdfast-\d/.test(name));
    assert.ok(tarball);
    const program = join(project.folder, "node_modules", ".bin", "attw");
    // Vitest is made of ES modules alone, and so is its subpath.
    const args = [
      "--no-color",
      "--profile",
      "node16",
      "--exclude-entrypoints",
      "vitest",
      "--",
      join(project.tarballs, tarball),
    ];
    const { code, output } = await run(program, args, project.folder);
    assert.equal(code, 0, output);
    assert.match(output, /"holdfast\/leveldown"/);
  });
});
