// Our S3 server beside s3rver, each in a process of its own, asked for the same presigned URLs by bare HTTP from this one,
// so that as little as possible of what is measured is the client. Both verify every signature.
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { Agent, request } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { compare } from "./measure.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const require = createRequire(join(here, "package.json"));
const requireOfPackage = createRequire(resolve(here, "../package.json"));
const { S3Client, ListObjectsCommand, GetObjectCommand, PutObjectCommand } = requireOfPackage("@aws-sdk/client-s3");
const { getSignedUrl } = requireOfPackage("@aws-sdk/s3-request-presigner");

const MIB = 2 ** 20;
const Bucket = "bench";
const OPERATIONS = Number(process.env.BENCH_OPERATIONS ?? 200);
const LISTED = Number(process.env.BENCH_LISTED ?? 10_000);
const LARGE = Number(process.env.BENCH_LARGE_MIB ?? 64) * MIB;
const folder = mkdtempSync(join(tmpdir(), "holdfast-bench-"));

const PROGRAMS = {
  holdfast: `
    const { SmartStorage } = require(${JSON.stringify(resolve(here, "../dist/index.js"))});
    SmartStorage.createAndStart({
      server: { port: 0, address: "127.0.0.1", silent: true },
      storage: { directory: ${JSON.stringify(join(folder, "holdfast"))} },
      auth: { enabled: true, credentials: [{ accessKeyId: "S3RVER", secretAccessKey: "S3RVER" }] },
      buckets: ["${Bucket}"],
    }).then(async (storage) => console.log((await storage.getStorageDescriptor()).port));`,
  s3rver: `
    const S3rver = require(${JSON.stringify(require.resolve("s3rver"))});
    const server = new S3rver({
      port: 0, address: "127.0.0.1", silent: true, directory: ${JSON.stringify(join(folder, "s3rver"))},
      configureBuckets: [{ name: "${Bucket}" }],
    });
    server.run().then(({ port }) => console.log(port));`,
};

/** Starts a server in a process of its own; gives back its client, its process id and its end. */
function start(name) {
  const child = spawn(process.execPath, ["-e", PROGRAMS[name]], { stdio: ["ignore", "pipe", "inherit"] });
  return new Promise((started, failed) => {
    child.on("exit", (code) => failed(new Error(`${name} ended with ${code}`)));
    child.stdout.once("data", (port) => {
      const client = new S3Client({
        endpoint: `http://127.0.0.1:${String(port).trim()}`,
        region: "us-east-1",
        credentials: { accessKeyId: "S3RVER", secretAccessKey: "S3RVER" },
        forcePathStyle: true,
        // s3rver stores the framing of trailing checksums as data: without them both do the same work.
        requestChecksumCalculation: "WHEN_REQUIRED",
        responseChecksumValidation: "WHEN_REQUIRED",
      });
      started({ client, pid: child.pid, stop: () => child.removeAllListeners("exit").kill("SIGKILL") });
    });
  });
}

/** Runs `operations` calls, `width` at a time. */
async function many(operations, width, call) {
  let next = 0;
  const lane = async () => {
    while (next < operations) await call(next++);
  };
  await Promise.all(Array.from({ length: width }, lane));
}

const residentMib = (pid) =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1024;

const servers = { holdfast: await start("holdfast"), s3rver: await start("s3rver") };
const small = randomBytes(1024);
const large = randomBytes(LARGE);
const agent = new Agent({ keepAlive: true });
const urls = new Map();

/** The presigned URL of a request; asked for before anything is timed. */
async function urlOf(server, Command, Key) {
  const id = `${server.pid} ${Command.name} ${Key}`;
  if (!urls.has(id)) {
    urls.set(id, await getSignedUrl(server.client, new Command({ Bucket, Key }), { expiresIn: 3600 }));
  }
  return urls.get(id);
}

/** Sends a request and reads its answer to the end; gives back how many bytes that were. */
async function ask(url, method, body) {
  const asked = request(url, { method, agent, headers: body === undefined ? {} : { "content-length": body.length } });
  asked.end(body);
  const [answer] = await once(asked, "response");
  let bytes = 0;
  answer.on("data", (chunk) => {
    bytes += chunk.length;
  });
  await once(answer, "end");
  if (answer.statusCode !== 200) throw new Error(`${method} ${url} was answered ${answer.statusCode}`);
  return bytes;
}

const put = async (server, Key, Body) => ask(await urlOf(server, PutObjectCommand, Key), "PUT", Body);
const get = async (server, Key) => ask(await urlOf(server, GetObjectCommand, Key), "GET");
const each = (call) => Object.fromEntries(Object.entries(servers).map(([name, server]) => [name, () => call(server)]));

try {
  for (const width of [1, 32]) {
    const options = { operations: OPERATIONS, rounds: 5, warmups: 1 };
    await compare(
      `put 1 KiB, ${width} at a time`,
      options,
      each((server) => many(OPERATIONS, width, (n) => put(server, `small/${n}`, small))),
    );
    await compare(
      `get 1 KiB, ${width} at a time`,
      options,
      each((server) => many(OPERATIONS, width, (n) => get(server, `small/${n}`))),
    );
  }
  const before = residentMib(servers.holdfast.pid);
  const options = { rounds: 3, warmups: 1, bytes: LARGE };
  await compare(
    `put ${LARGE / MIB} MiB`,
    options,
    each((server) => put(server, "large", large)),
  );
  await compare(
    `get ${LARGE / MIB} MiB`,
    options,
    each(async (server) => {
      if ((await get(server, "large")) !== LARGE) throw new Error("a large object came back cut");
    }),
  );
  console.log(
    `\nholdfast's process holds ${(residentMib(servers.holdfast.pid) - before).toFixed(1)} MiB more after that`,
  );
  for (const server of Object.values(servers))
    await many(LISTED, 32, (n) => put(server, `list/${n}`, Buffer.from("x")));
  await compare(
    `list all of ${LISTED} in pages of 1,000`,
    { rounds: 3, warmups: 1 },
    each(async (server) => {
      // The first version of the call: s3rver can't make a continuation token for the second.
      let Marker;
      let seen = 0;
      for (;;) {
        const { Contents = [], IsTruncated } = await server.client.send(
          new ListObjectsCommand({ Bucket, Prefix: "list/", ...(Marker === undefined ? {} : { Marker }) }),
        );
        seen += Contents.length;
        if (IsTruncated !== true) break;
        Marker = Contents.at(-1).Key;
      }
      if (seen !== LISTED) throw new Error(`${seen} objects were listed, not ${LISTED}`);
    }),
  );
} finally {
  for (const server of Object.values(servers)) {
    server.client.destroy();
    agent.destroy();
    server.stop();
  }
  rmSync(folder, { recursive: true, force: true });
}
