// An S3 in a process of its own that answers as late as it is told; says how many requests of data it had.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const HOLDFAST = resolve(import.meta.dirname, "../../dist/index.js");

const program = (directory) => `
  const { SmartStorage } = require(${JSON.stringify(HOLDFAST)});
  SmartStorage.createAndStart({
    server: { port: 0, address: "127.0.0.1", silent: true },
    storage: { directory: ${JSON.stringify(directory)} },
    buckets: ["bench"],
  }).then(async (storage) => {
    process.on("message", ({ get, put }) => {
      storage.faults.clear();
      if (get > 0) storage.faults.add({ operation: "GetObject", delayMs: get });
      for (const operation of put > 0 ? ["PutObject", "ListObjectsV2", "DeleteObject", "DeleteObjects"] : []) {
        storage.faults.add({ operation, delayMs: put });
      }
      process.send("late");
    });
    process.send((await storage.getStorageDescriptor()).port);
  });`;

/** Starts it; `late({ get, put })` sets the milliseconds before reads, and before everything else. */
export async function startServer() {
  const directory = mkdtempSync(join(tmpdir(), "holdfast-bench-"));
  const child = spawn(process.execPath, ["-e", program(directory)], { stdio: ["ignore", "ignore", "inherit", "ipc"] });
  const [port] = await once(child, "message");
  return {
    endpoint: `http://127.0.0.1:${port}`,
    credentials: { accessKeyId: "STORAGE", secretAccessKey: "STORAGE" },
    async late(delays) {
      child.send(delays);
      await once(child, "message");
    },
    async stop() {
      child.kill("SIGKILL");
      await once(child, "exit");
      rmSync(directory, { recursive: true });
    },
  };
}
