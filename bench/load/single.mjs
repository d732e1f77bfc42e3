// What is measured of ours alone: memory while large bodies stream, the start, and the states of test suites.
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { request } from "node:http";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const requireOfPackage = createRequire(resolve(root, "package.json"));
const { GetObjectCommand, PutObjectCommand } = requireOfPackage("@aws-sdk/client-s3");
const { getSignedUrl } = requireOfPackage("@aws-sdk/s3-request-presigner");

const MIB = 1024 * 1024;

/** The memory that a process has, and the most that it had since the last `clear`, in MiB. */
const resident = (pid) => /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1] / 1024;

/** Streams a body of zeros through a presigned request; gives back how many bytes came back. */
async function stream(url, method, bytes) {
  const sent = request(url, { method, headers: method === "PUT" ? { "content-length": bytes } : {} });
  if (method === "PUT") {
    const piece = Buffer.alloc(MIB);
    for (let left = bytes; left > 0; left -= piece.length) {
      if (!sent.write(left < piece.length ? piece.subarray(0, left) : piece)) await once(sent, "drain");
    }
  }
  sent.end();
  const [answer] = await once(sent, "response");
  let received = 0;
  for await (const piece of answer) received += piece.length;
  if (answer.statusCode !== 200) throw new Error(`${method} was answered ${answer.statusCode}`);
  return received;
}

/** By how much the memory grows while that many bytes stream in, and out; in MiB, with MB/s. */
export async function memoryOfStreams(server, bytes) {
  const signed = (command) => getSignedUrl(server.client, command, { expiresIn: 3600 });
  const [put, get] = [PutObjectCommand, GetObjectCommand].map((Command) =>
    signed(new Command({ Bucket: "bench", Key: "streamed" })),
  );
  await stream(await put, "PUT", 16 * MIB); // what is allocated once is there
  await stream(await get, "GET");
  const before = resident(server.pid);
  const grown = {};
  for (const [name, url, method] of [
    ["in", await put, "PUT"],
    ["out", await get, "GET"],
  ]) {
    let most = before;
    const watch = setInterval(() => {
      most = Math.max(most, resident(server.pid));
    }, 50);
    const begun = performance.now();
    const received = await stream(url, method, bytes);
    const rate = bytes / 1e3 / (performance.now() - begun);
    clearInterval(watch);
    if (method === "GET" && received !== bytes) throw new Error(`${received} of ${bytes} bytes came back`);
    grown[name] = `${(most - before).toFixed(0)} MiB at ${rate.toFixed(0)} MB/s`;
  }
  return { before: before.toFixed(0), ...grown };
}

/** Milliseconds, medians of several rounds, in a process of its own: from the start to the first answer, and states. */
const STATES = `
  const { SmartStorage } = require(${JSON.stringify(resolve(root, "dist/index.js"))});
  const { get } = require("node:http");
  const [, directory, inMemory] = process.argv;
  const median = (times) => times.sort((a, b) => a - b)[times.length >> 1];
  const timed = async (call) => {
    const begun = performance.now();
    await call();
    return performance.now() - begun;
  };
  const answered = (port) => new Promise((done, failed) => {
    get({ host: "127.0.0.1", port, path: "/", agent: false }, (answer) => answer.resume().once("end", done)).once("error", failed);
  });
  const open = () => new SmartStorage({
    server: { port: 0, address: "127.0.0.1", silent: true },
    storage: inMemory === "true" ? { inMemory: true } : { directory },
    buckets: ["bench"],
  });
  (async () => {
    const starts = [];
    for (let n = 0; n < 21; n++) {
      const storage = open();
      starts.push(await timed(async () => {
        await storage.start();
        await answered((await storage.getStorageDescriptor()).port);
      }));
      await storage.stop();
    }
    const storage = open();
    await storage.start();
    const { port } = await storage.getStorageDescriptor();
    const fill = () => Promise.all(Array.from({ length: 100 }, (_, n) =>
      fetch("http://127.0.0.1:" + port + "/bench/key-" + n, { method: "PUT", body: "x".repeat(1024) })));
    await fill();
    const snapshot = await storage.snapshot();
    const [resets, restores] = [[], []];
    for (let n = 0; n < 21; n++) {
      await fill();
      restores.push(await timed(() => storage.restore(snapshot)));
      resets.push(await timed(() => storage.reset()));
    }
    await storage.stop();
    console.log(JSON.stringify({ start: median(starts.slice(1)), reset: median(resets), restore: median(restores) }));
  })();`;

/** The same numbers for a folder, or in memory. */
export function timesOfStates(directory, inMemory) {
  const { stdout, stderr } = spawnSync(process.execPath, ["-e", STATES, directory, String(inMemory)], {
    encoding: "utf8",
  });
  if (stdout === "") throw new Error(stderr);
  return JSON.parse(stdout);
}
