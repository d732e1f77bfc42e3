// createStore on somebody else's S3 server: moto, which honours conditional requests. The whole conformance suite.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { after, before, describe, it } from "node:test";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { type AdapterCase, adapterCases, type S3Options } from "holdfast";
import { moto } from "./program.mjs";

const credentials = { accessKeyId: "moto", secretAccessKey: "moto" };
let server: ChildProcess;
let endpoint: string;
let buckets = 0;

before(async () => {
  const free = createServer().listen(0, "127.0.0.1");
  await once(free, "listening");
  const { port } = free.address() as AddressInfo;
  free.close();
  endpoint = `http://127.0.0.1:${port}`;
  server = spawn(moto(), ["-H", "127.0.0.1", "-p", String(port)], { stdio: "ignore" });
  for (;;) {
    const socket = connect(port, "127.0.0.1");
    const isUp = await once(socket, "connect").then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (isUp) return;
    if (server.exitCode !== null) throw new Error("moto did not start");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
});
after(async () => {
  const exit = once(server, "exit");
  server.kill();
  await exit;
});

async function freshBucket(): Promise<S3Options> {
  buckets += 1;
  const bucket = `bucket-${buckets}`;
  const client = new S3Client({ endpoint, credentials, region: "us-east-1", forcePathStyle: true });
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  client.destroy();
  return { bucket, endpoint, credentials };
}

/** Cases that moto answers otherwise than S3 does, and how. */
const UNLIKE_S3: Record<string, string> = {
  "a folder is listed only where a key of the range lies in it":
    "moto leaves out the folder in which start-after lies, also where a later key is in it",
};

describe("createStore on moto", async () => {
  const make = async () => ({ options: { adapter: "s3" as const, s3: await freshBucket() }, clear: async () => {} });
  // Python takes long for the thousand puts of one case.
  const cases: AdapterCase[] = await adapterCases(make, { timeoutMs: 240_000 });
  for (const { group, name, run } of cases) {
    it(`${group}: ${name}`, async (context) => {
      const reason = UNLIKE_S3[name] ?? (await run());
      if (reason !== undefined) context.skip(`moto: ${reason}`);
    });
  }
});
