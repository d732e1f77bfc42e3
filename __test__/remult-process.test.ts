import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, describe, it } from "node:test";
import { createS3DataProvider, SmartStorage } from "holdfast";

const ROOT = resolve(__dirname, "..");

describe("createS3DataProvider and the process", () => {
  let folder: string;
  let storage: SmartStorage;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "holdfast-remult-process-"));
    storage = await SmartStorage.createAndStart({
      server: { port: 0, address: "127.0.0.1", silent: true },
      storage: { directory: join(folder, "buckets") },
    });
    await storage.createBucket("bucket");
  });
  after(async () => {
    await storage.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const optionsOf = async (name: string, machine: string) => {
    const { endpoint, port, accessKey, accessSecret } = await storage.getStorageDescriptor();
    return {
      file: join(folder, machine, `${name}.sqlite`),
      s3: {
        bucket: "bucket",
        databaseName: name,
        endpoint: `http://${endpoint}:${port}`,
        forcePathStyle: true,
        credentials: { accessKeyId: accessKey, secretAccessKey: accessSecret },
      },
    };
  };

  /** A process that opens the database, inserts a row, says so, and goes on as `then` says. */
  const start = async (name: string, then: string): Promise<ChildProcess> => {
    // In the package's own folder, so that "holdfast" is this package.
    const file = join(ROOT, `remult-process-${process.pid}-${name}.cjs`);
    writeFileSync(
      file,
      `const { createS3DataProvider } = require("holdfast");
      createS3DataProvider(${JSON.stringify(await optionsOf(name, "child"))})().then(async (database) => {
        await database.execute("create table t (n integer)");
        await database.execute("insert into t values (1)");
        process.stdout.write("ready\\n");
        ${then}
      });`,
    );
    const child = spawn(process.execPath, [file], { stdio: ["ignore", "pipe", "inherit"] });
    child.on("exit", () => rmSync(file));
    await once(child.stdout!, "data");
    return child;
  };
  /** Another machine sees the row, without waiting for a lease: the first process has freed it. */
  const assertClosed = async (name: string): Promise<void> => {
    const database = await createS3DataProvider({ ...(await optionsOf(name, "other")), handleSignals: false })();
    const { rows } = await database.execute("select n from t");
    await database.close();
    assert.deepEqual(rows, [{ n: 1 }]);
  };

  it("lets a process end that has nothing left to do, and closes before", async () => {
    const child = await start("ends", "");
    assert.deepEqual(await once(child, "exit"), [0, null]);
    await assertClosed("ends");
  });

  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    it(`closes at ${signal}, and the process ends by the signal`, async () => {
      const child = await start(signal.toLowerCase(), "setInterval(() => undefined, 1000);");
      child.kill(signal);
      assert.deepEqual(await once(child, "exit"), [null, signal]);
      await assertClosed(signal.toLowerCase());
    });
  }

  it("leaves the exit code to other handlers of the signal", async () => {
    const child = await start(
      "handled",
      `const waiting = setInterval(() => undefined, 1000);
       process.on("SIGTERM", async () => { await database.close(); process.exitCode = 7; clearInterval(waiting); });`,
    );
    child.kill("SIGTERM");
    assert.deepEqual(await once(child, "exit"), [7, null]);
    await assertClosed("handled");
  });

  it("after kill -9 the same machine goes on at once", async () => {
    const child = await start("killed", "setInterval(() => undefined, 1000);");
    child.kill("SIGKILL");
    await once(child, "exit");
    const database = await createS3DataProvider({ ...(await optionsOf("killed", "child")), handleSignals: false })();
    const { rows } = await database.execute("select n from t");
    await database.close();
    assert.deepEqual(rows, [{ n: 1 }]);
  });
});
