import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { createStore, SmartStorage } from "holdfast";
import { type Ended, run } from "./cli-program.mjs";

let folder: string;
before(() => {
  folder = mkdtempSync(join(tmpdir(), "holdfast-doctor-"));
});
after(() => rmSync(folder, { recursive: true, force: true }));

interface Report {
  healthy: boolean;
  findings: { check: string; ok: boolean; message: string; advice?: string; code?: string }[];
}

/** Runs the doctor, and gives its exit code and its report. */
async function examine(
  what: string,
  env: Record<string, string> = {},
): Promise<{ code: number | null; report: Report }> {
  const { code, stdout, stderr }: Ended = await run(["doctor", what, "--json"], env);
  assert.notEqual(stdout, "", stderr);
  return { code, report: JSON.parse(stdout) };
}

/** What is wrong, as check and code. */
const wrong = ({ findings }: Report): (string | undefined)[][] =>
  findings.filter(({ ok }) => !ok).map(({ check, code }) => [check, code]);

describe("holdfast doctor on a server's folder", () => {
  let directory: string;
  let storage: SmartStorage;
  before(async () => {
    directory = join(folder, "buckets");
    storage = await SmartStorage.createAndStart({
      server: { port: 0, address: "127.0.0.1", silent: true },
      storage: { directory },
      auth: { enabled: false },
      buckets: ["assets"],
    });
    const { endpoint, port } = await storage.getStorageDescriptor();
    for (const key of ["a", "b"]) {
      const done = await fetch(`http://${endpoint}:${port}/assets/${key}`, { method: "PUT", body: "hello" });
      assert.equal(done.status, 200);
    }
  });
  after(() => storage?.stop());

  it("counts what is there, also while the server runs", async () => {
    const { code, report } = await examine(directory);
    assert.deepEqual([code, wrong(report)], [0, []]);
    assert.match(report.findings[0]?.message ?? "", /^1 buckets, 2 objects, 10 bytes; a server has it open/);
  });

  it("names the file of an object that is gone, and of one that is cut", async () => {
    await storage.stop();
    const files = readdirSync(join(directory, "assets")).sort();
    rmSync(join(directory, "assets", files[0] as string));
    truncateSync(join(directory, "assets", files[1] as string), 2);
    const { code, report } = await examine(directory);
    assert.deepEqual(
      [code, wrong(report)],
      [
        3,
        [
          ["index and files", "STORAGE_DAMAGED"],
          ["index and files", "STORAGE_DAMAGED"],
        ],
      ],
    );
    assert.match(report.findings[0]?.message ?? "", /the file of key "a", can't be read/);
    assert.match(report.findings[1]?.message ?? "", /the file of key "b", has 2 bytes and not 5/);
    assert.match(report.findings[0]?.advice ?? "", /backup/);
  });

  it("says of another folder that it is none", async () => {
    const { code, report } = await examine(folder);
    assert.equal(code, 3);
    assert.deepEqual(wrong(report)[0], ["index and files", "NOT_A_STORAGE_FOLDER"]);
  });
});

describe("holdfast doctor on a file", () => {
  it("knows a store's file, and finds a damaged page", async () => {
    const path = join(folder, "app.db");
    const store = await createStore({ name: "app", adapter: "sqlite", path });
    for (let number = 0; number < 300; number += 1) await store.kv.set(`key/${number}`, "value".repeat(40));
    await store.close();
    const sound = await examine(path);
    assert.deepEqual([sound.code, wrong(sound.report)], [0, []]);
    assert.match(sound.report.findings[0]?.message ?? "", /a store of createStore/);

    const bytes = readFileSync(path);
    bytes.fill(0xff, 4096 * 5, 4096 * 8);
    writeFileSync(path, bytes);
    const damaged = await examine(path);
    assert.equal(damaged.code, 3);
    assert.deepEqual(wrong(damaged.report)[0], ["SQLite file", "DATABASE_DAMAGED"]);
  });

  it("says of another file that it is no database, and of a path that nothing is there", async () => {
    const path = join(folder, "text.txt");
    writeFileSync(path, "no database ".repeat(100));
    assert.deepEqual(wrong((await examine(path)).report), [["SQLite file", "NOT_A_DATABASE"]]);
    const missing = await run(["doctor", join(folder, "missing")]);
    assert.equal(missing.code, 2);
    assert.match(missing.stderr, /NOTHING_THERE/);
  });
});

describe("holdfast doctor on a bucket", () => {
  let storage: SmartStorage;
  let env: Record<string, string>;
  before(async () => {
    storage = await SmartStorage.createAndStart({
      server: { port: 0, address: "127.0.0.1", silent: true },
      storage: { inMemory: true },
      auth: { enabled: true, credentials: [{ accessKeyId: "doctor", secretAccessKey: "secret" }] },
      buckets: ["assets"],
    });
    const { endpoint, port } = await storage.getStorageDescriptor();
    env = {
      AWS_ENDPOINT_URL: `http://${endpoint}:${port}`,
      AWS_ACCESS_KEY_ID: "doctor",
      AWS_SECRET_ACCESS_KEY: "secret",
    };
  });
  after(() => storage?.stop());

  it("tries what the doors need, and leaves nothing behind", async () => {
    storage.requests.clear();
    const { code, report } = await examine("s3://assets/app", env);
    assert.deepEqual([code, wrong(report)], [0, []]);
    const checks = report.findings.map(({ check }) => check);
    assert.deepEqual(checks, ["credentials", "clock", "list", "write", "conditional write", "read", "delete"]);
    const written = storage.requests.filter(
      ({ operation }) => operation === "PutObject" || operation === "DeleteObject",
    );
    assert.deepEqual(
      written.map(({ operation }) => operation),
      ["PutObject", "PutObject", "DeleteObject"],
    );
  });

  it("says what is wrong with a bucket that is missing and with a wrong secret", async () => {
    assert.deepEqual(wrong((await examine("s3://missing", env)).report), [["list", "NO_SUCH_BUCKET"]]);
    const { code, report } = await examine("s3://assets", { ...env, AWS_SECRET_ACCESS_KEY: "wrong" });
    assert.equal(code, 3);
    assert.equal(report.findings.find(({ ok }) => !ok)?.check, "list");
  });
});
