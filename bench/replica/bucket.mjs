// A holdfast server in a process of its own, with a bucket, that answers as late as it is told and counts what it is sent.
import { fork } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));

const SERVER = resolve(here, "server.cjs");

/**
 * @param {string} directory Where its data goes.
 * @param {number} delayMs By how much every answer is late.
 */
export async function startBucket(directory, delayMs) {
  const child = fork(SERVER, [directory, String(delayMs)]);
  const [{ port }] = await once(child, "message");
  const ask = async (what) => {
    child.send(what);
    const [answer] = await once(child, "message");
    return answer;
  };
  return {
    endpoint: `http://127.0.0.1:${port}`,
    credentials: { accessKeyId: "STORAGE", secretAccessKey: "STORAGE" },
    /** Forgets what was counted. */
    clear: () => ask("clear"),
    /** `{ requests, puts, bytesIn, bytesOut }` since `clear`. */
    counts: () => ask("counts"),
    async stop() {
      child.kill();
      await once(child, "exit");
    },
  };
}
