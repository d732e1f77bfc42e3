// What a put costs at the least: its MD5, and a file that is written aside and moved to its place; in as many threads as
// there are processors, at most one a connection.
import { createHash } from "node:crypto";
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";

/** Puts a second of a body, hashed and written and nothing else. */
export async function hashAndWriteAlone(folder, body, { width, seconds, keys }) {
  const threads = Math.min(width, availableParallelism());
  const counts = Array.from({ length: threads }, async (_, n) => {
    const own = join(folder, `${body.length}-${n}`);
    mkdirSync(own, { recursive: true });
    const worker = new Worker(new URL(import.meta.url), { workerData: { folder: own, body, seconds, keys } });
    return new Promise((counted, failed) => worker.once("message", counted).once("error", failed));
  });
  return (await Promise.all(counts)).reduce((sum, rate) => sum + rate, 0);
}

if (!isMainThread) {
  const { folder, body, seconds, keys } = workerData;
  const begun = performance.now();
  let count = 0;
  for (; performance.now() - begun < seconds * 1000; count++) {
    createHash("md5").update(body).digest("hex");
    writeFileSync(join(folder, "aside"), body);
    renameSync(join(folder, "aside"), join(folder, `key-${count % keys}`));
  }
  parentPort.postMessage((count / (performance.now() - begun)) * 1000);
}
