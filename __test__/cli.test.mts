import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, describe, it } from "node:test";
import { GetObjectCommand, ListBucketsCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";

import { ROOT, run, start } from "./cli-program.mjs";

/** The first line that a child writes to its standard output, and the child's end if that comes first. */
async function firstLine(child: ChildProcess): Promise<string> {
  assert.ok(child.stdout && child.stderr);
  child.stderr.resume();
  for await (const line of createInterface({ input: child.stdout })) return line;
  throw new Error(`it ended with ${child.exitCode} and said nothing`);
}

describe("holdfast", () => {
  it("prints its version", async () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
    assert.deepEqual(await run(["--version"]), { code: 0, stdout: `${version}\n`, stderr: "" });
  });

  it("explains itself, and each command with examples", async () => {
    const all = await run(["--help"]);
    assert.equal(all.code, 0);
    assert.match(all.stdout, /serve .*\n[\s\S]*Exit codes: 0 done, 1 failed, 2 /);
    assert.match((await run(["serve", "--help"])).stdout, /Examples:\n {2}npx holdfast serve/);
  });

  it("ends with 2 on a command line that it does not understand, and says what it takes", async () => {
    const unknown = await run(["serv"]);
    assert.equal(unknown.code, 2);
    assert.match(unknown.stderr, /Did you mean serve\?/);
    const port = await run(["serve", "--port", "seventy"]);
    assert.equal(port.code, 2);
    assert.match(port.stderr, /A port is a number from 0 to 65535/);
  });
});

describe("holdfast serve", () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "holdfast-cli-"));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it("serves a folder with the keys that it prints, and stops when it is interrupted", async () => {
    const served = join(folder, "served");
    for (const round of ["first", "second"]) {
      const child = start(["serve", served, "--port", "0", "--bucket", "assets", "--json", "--quiet"]);
      const server = JSON.parse(await firstLine(child));
      const client = new S3Client({
        endpoint: `http://${server.endpoint}:${server.port}`,
        region: server.region,
        forcePathStyle: true,
        credentials: { accessKeyId: server.accessKey, secretAccessKey: server.accessSecret },
      });
      const object = { Bucket: "assets", Key: "greeting" };
      if (round === "first") await client.send(new PutObjectCommand({ ...object, Body: "hello" }));
      const { Body } = await client.send(new GetObjectCommand(object));
      assert.equal(await Body?.transformToString(), "hello");
      client.destroy();
      child.kill("SIGINT");
      assert.deepEqual(await once(child, "close"), [0, null], "a graceful end");
    }
  });

  it("refuses a wrong secret unless it is told not to", async () => {
    const wrong = { accessKeyId: "STORAGE", secretAccessKey: "wrong" };
    for (const [args, isRefused] of [[[], true] as const, [["--no-auth"], false] as const]) {
      const child = start(["serve", join(folder, "wrong"), "--port", "0", "--json", "--quiet", ...args]);
      const { endpoint, port, region } = JSON.parse(await firstLine(child));
      const client = new S3Client({ endpoint: `http://${endpoint}:${port}`, region, credentials: wrong });
      const asked = client.send(new ListBucketsCommand({}));
      if (isRefused) await assert.rejects(asked, { name: "SignatureDoesNotMatch" });
      else await asked;
      client.destroy();
      child.kill("SIGTERM");
      await once(child, "close");
    }
  });

  it("takes its keys from the environment and keeps the secret out of the log", async () => {
    const keys = { HOLDFAST_ACCESS_KEY: "ada", HOLDFAST_SECRET_KEY: "lovelace-1815" };
    const child = start(["serve", join(folder, "keys"), "--port", "0", "--json"], keys);
    let log = "";
    child.stderr?.on("data", (chunk) => {
      log += chunk;
    });
    const { endpoint, port, accessKey, accessSecret } = JSON.parse(await firstLine(child));
    assert.deepEqual([accessKey, accessSecret], ["ada", "lovelace-1815"]);
    await fetch(`http://${endpoint}:${port}/`);
    child.kill("SIGINT");
    await once(child, "close");
    assert.match(log, /ListBuckets/);
    assert.doesNotMatch(log, /lovelace/);
  });

  it("does not open the default keys to other machines", async () => {
    const refused = await run(["serve", join(folder, "open"), "--port", "0", "--address", "0.0.0.0", "--json"]);
    assert.equal(refused.code, 2);
    assert.equal(JSON.parse(refused.stderr).error.code, "DEFAULT_CREDENTIALS");
  });

  it("ends with 1 and a code when the port is taken", async () => {
    const child = start(["serve", join(folder, "one"), "--port", "0", "--json", "--quiet"]);
    const { port } = JSON.parse(await firstLine(child));
    const second = await run(["serve", join(folder, "two"), "--port", String(port)]);
    assert.equal(second.code, 1);
    assert.match(second.stderr, /port \d+ is in use.*\[PORT_IN_USE\]/);
    child.kill("SIGINT");
    await once(child, "close");
  });

  it("prints settings that a shell takes as they are", async () => {
    const child = start(["serve", join(folder, "shell"), "--port", "0", "--quiet", "--secret-key", "it's $HOME"]);
    let text = "";
    child.stdout?.on("data", (chunk) => {
      text += chunk;
    });
    while (!text.includes("Interrupt")) await once(child.stdout as NodeJS.ReadableStream, "data");
    child.kill("SIGINT");
    await once(child, "close");
    const [exports] = /^export AWS_ACCESS_KEY_ID.*$/m.exec(text) ?? [];
    const shell = spawn("sh", ["-c", `${exports}; printf %s "$AWS_SECRET_ACCESS_KEY"`], { stdio: "pipe" });
    const [secret] = await once(shell.stdout, "data");
    assert.equal(String(secret), "it's $HOME");
  });
});
