import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, it } from "node:test";
import { createS3DataProvider } from "holdfast";

import { useReplicaBucket } from "./replica-bucket.js";

const ROOT = resolve(__dirname, "..");

describe("createS3DataProvider and the process", () => {
  const used = useReplicaBucket();

  const optionsOf = (name: string, machine: string) => ({
    file: join(used.folder, machine, `${name}.sqlite`),
    s3: used.place(name),
  });

  /** A process that opens the database, inserts a row, says so, and goes on as `then` says. */
  const start = async (name: string, then: string): Promise<ChildProcess> => {
    // In the package's own folder, so that "holdfast" is this package.
    const file = join(ROOT, `remult-process-${process.pid}-${name}.cjs`);
    writeFileSync(
      file,
      `const { createS3DataProvider } = require("holdfast");
      createS3DataProvider(${JSON.stringify(optionsOf(name, "child"))})().then(async (database) => {
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
    const database = await createS3DataProvider({ ...optionsOf(name, "other"), handleSignals: false })();
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
    const database = await createS3DataProvider({ ...optionsOf("killed", "child"), handleSignals: false })();
    const { rows } = await database.execute("select n from t");
    await database.close();
    assert.deepEqual(rows, [{ n: 1 }]);
  });
});
