import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { type ISmartStorageConfig, type PersistError, SmartStorage } from "holdfast";

describe("SmartStorage", () => {
  let folder: string;
  let opened: SmartStorage[] = [];

  const config = (more: ISmartStorageConfig = {}): ISmartStorageConfig => ({
    ...more,
    server: { port: 0, address: "127.0.0.1", silent: true, ...more.server },
    storage: { directory: join(folder, "buckets"), ...more.storage },
  });
  const start = async (more: ISmartStorageConfig = {}): Promise<SmartStorage> => {
    const storage = await SmartStorage.createAndStart(config(more));
    opened.push(storage);
    return storage;
  };
  const urlOf = async (storage: SmartStorage): Promise<string> => {
    const { endpoint, port } = await storage.getStorageDescriptor();
    return `http://${endpoint}:${port}`;
  };
  const refuses = async (call: () => unknown, name: string, code: string, setting?: string): Promise<void> => {
    await assert.rejects(
      async () => call(),
      (error: PersistError) => {
        assert.deepEqual([error.name, error.code], [name, code], error.message);
        if (setting !== undefined) assert.equal(error.details.setting, setting);
        return true;
      },
    );
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "holdfast-door-"));
  });
  afterEach(async () => {
    for (const storage of opened) await storage.stop();
    opened = [];
    rmSync(folder, { recursive: true, force: true });
  });

  it("describes itself as documented", async () => {
    const byDefault = new SmartStorage();
    const expected = {
      endpoint: "localhost",
      port: 3000,
      accessKey: "STORAGE",
      accessSecret: "STORAGE",
      useSsl: false,
    };
    assert.deepEqual(await byDefault.getStorageDescriptor(), expected);
    assert.equal((await byDefault.getStorageDescriptor({ endpoint: "proxy" })).endpoint, "proxy");
    const credentials = [{ accessKeyId: "a", secretAccessKey: "b" }];
    const named = new SmartStorage({ server: { address: "127.0.0.1", port: 9 }, auth: { credentials } });
    assert.deepEqual(await named.getStorageDescriptor(), {
      endpoint: "127.0.0.1",
      port: 9,
      accessKey: "a",
      accessSecret: "b",
      useSsl: false,
    });
  });

  it("names the setting that is unknown or out of range, and shows no secret", async () => {
    const cases: [object, string, string][] = [
      [{ sever: {} }, "UNKNOWN_SETTING", "sever"],
      [{ server: { prot: 1 } }, "UNKNOWN_SETTING", "server.prot"],
      [{ server: { port: 65_536 } }, "INVALID_SETTING", "server.port"],
      [{ server: { port: "3000" } }, "INVALID_SETTING", "server.port"],
      [{ server: { address: "example.com" } }, "INVALID_SETTING", "server.address"],
      [{ server: null }, "INVALID_SETTING", "server"],
      [{ storage: { durability: "maybe" } }, "INVALID_SETTING", "storage.durability"],
      [{ auth: { credentials: [] } }, "INVALID_SETTING", "auth.credentials"],
      [{ auth: { credentials: [{ accessKeyId: "a" }] } }, "INVALID_SETTING", "auth.credentials[0].secretAccessKey"],
      [{ cors: { allowedOrigins: "*" } }, "INVALID_SETTING", "cors.allowedOrigins"],
      [{ logging: { level: "loud" } }, "INVALID_SETTING", "logging.level"],
      [{ limits: { requestTimeout: 0 } }, "INVALID_SETTING", "limits.requestTimeout"],
      [{ multipart: { expirationDays: -1 } }, "INVALID_SETTING", "multipart.expirationDays"],
      [{ buckets: [1] }, "INVALID_SETTING", "buckets"],
    ];
    for (const [wrong, code, setting] of cases) {
      await refuses(() => new SmartStorage(wrong as ISmartStorageConfig), "ConfigError", code, setting);
    }
    const secret = {
      auth: { credentials: [{ accessKeyId: 7, secretAccessKey: "hush" }] },
    } as unknown as ISmartStorageConfig;
    assert.throws(
      () => new SmartStorage(secret),
      (error: Error) => !error.message.includes("hush"),
    );
  });

  it("makes buckets at start and on demand, and again without harm", async () => {
    const storage = await start({ buckets: ["assets"] });
    assert.deepEqual(await storage.createBucket("more"), { name: "more" });
    assert.deepEqual(await storage.createBucket("more"), { name: "more" });
    const listed = await (await fetch(await urlOf(storage))).text();
    assert.deepEqual(listed.match(/<Name>[^<]+/g), ["<Name>assets", "<Name>more"]);
    await refuses(() => storage.createBucket("No_Name"), "ValidationError", "INVALID_BUCKET_NAME");
    await refuses(() => storage.createBucket(undefined as never), "ValidationError", "INVALID_BUCKET_NAME");
    await refuses(async () => storage.faults.add(undefined as never), "ValidationError", "INVALID_FAULT");
  });

  it("keeps its objects over stop and start, and forgets them with cleanSlate", async () => {
    const storage = await start({ buckets: ["kept"] });
    await fetch(`${await urlOf(storage)}/kept/a`, { method: "PUT", body: "still here" });
    await storage.stop();
    await storage.start();
    assert.equal(await (await fetch(`${await urlOf(storage)}/kept/a`)).text(), "still here");
    await storage.stop();
    const clean = await start({ storage: { cleanSlate: true } });
    assert.equal((await fetch(`${await urlOf(clean)}/kept/a`)).status, 404);
    assert.equal(existsSync(join(folder, "buckets", "kept")), false);
  });

  it("empties nothing when it can't start", async () => {
    const storage = await start({ buckets: ["kept"] });
    await storage.stop();
    const wrong = start({ storage: { cleanSlate: true }, buckets: ["No_Name"] });
    await refuses(() => wrong, "ValidationError", "INVALID_BUCKET_NAME");
    assert.equal(existsSync(join(folder, "buckets", "kept")), true);
  });

  it("stops and starts as often as it is told, and twice is once", async () => {
    const storage = await start();
    await Promise.all([storage.start(), storage.stop(), storage.stop(), storage.start()]);
    assert.equal((await fetch(await urlOf(storage))).status, 200);
    await storage.stop();
    await refuses(() => storage.createBucket("late"), "ClosedError", "NOT_RUNNING");
    await refuses(() => storage.faults.clear(), "ClosedError", "NOT_RUNNING");
  });

  it("takes credentials that the AWS SDK has marked as its own", async () => {
    const marked = { accessKeyId: "ada", secretAccessKey: "lovelace", $source: { CREDENTIALS_CODE: "e" } };
    const storage = new SmartStorage({ server: { port: 1 }, auth: { enabled: true, credentials: [marked] } });
    assert.equal((await storage.getStorageDescriptor()).accessKey, "ada");
  });

  it("refuses a port in use, with nothing half-started", async () => {
    const holder = createServer();
    const port = await new Promise<number>((done) =>
      holder.listen(0, "127.0.0.1", () => done((holder.address() as { port: number }).port)),
    );
    await refuses(() => start({ server: { port } }), "ConnectionError", "PORT_IN_USE");
    assert.equal(existsSync(join(folder, "buckets")), false);
    await new Promise((done) => holder.close(done));
    const storage = await start({ server: { port } });
    assert.equal((await storage.getStorageDescriptor()).port, port);
  });

  it("refuses a directory that can't be one, and one that another server uses", async () => {
    writeFileSync(join(folder, "file"), "");
    await assert.rejects(start({ storage: { directory: join(folder, "file", "below") } }), { name: "IoError" });
    await start();
    await refuses(() => start(), "LockedError", "DIRECTORY_IN_USE");
  });

  it("runs beside others in one process", async () => {
    const storages = await Promise.all([1, 2, 3].map((n) => start({ storage: { directory: join(folder, `d${n}`) } })));
    const urls = await Promise.all(storages.map(urlOf));
    assert.equal(new Set(urls).size, 3);
    for (const url of urls) assert.equal((await fetch(url)).status, 200);
  });

  it("lets a request in flight finish when it stops", async () => {
    const storage = await start({ buckets: ["slow"] });
    const { port } = await storage.getStorageDescriptor();
    const socket = connect(port, "127.0.0.1");
    const answer = new Promise<string>((done, failed) => {
      let text = "";
      socket.on("data", (data) => (text += data.toString()));
      socket.on("close", () => done(text));
      socket.on("error", failed);
    });
    const head = "PUT /slow/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n";
    // The server asks for the body only once it handles the request.
    await new Promise((done) => {
      socket.once("data", done);
      socket.write(head);
    });
    const stopped = storage.stop();
    socket.write("0123456789");
    await stopped;
    assert.match(await answer, /HTTP\/1\.1 200 OK/);
    await storage.start();
    assert.equal(await (await fetch(`${await urlOf(storage)}/slow/k`)).text(), "0123456789");
  });

  it("remembers what was asked until told to forget", async () => {
    const storage = await start({ buckets: ["seen"] });
    const url = await urlOf(storage);
    await fetch(`${url}/seen/a%20b`, { method: "PUT", body: "12345" });
    await (await fetch(`${url}/seen/a%20b`)).text();
    await fetch(`${url}/seen/none`);
    await fetch(`${url}/seen/a?unheard-of`);
    const shown = storage.requests.map(({ operation, bucket, key, status, bytesIn, bytesOut }) =>
      [operation, bucket, key, status, bytesIn, status === 200 ? bytesOut : "-"].join(" "),
    );
    assert.deepEqual(shown, [
      "PutObject seen a b 200 5 0",
      "GetObject seen a b 200 0 5",
      "GetObject seen none 404 0 -",
      "Unknown seen a 501 0 -",
    ]);
    assert.equal(storage.requests.filter((request) => request.operation === "PutObject").length, 1);
    storage.requests.clear();
    assert.equal(storage.requests.length, 0);
  });

  it("fails on purpose: an error, a cut before and a cut after, as often as asked", async () => {
    const storage = await start({ buckets: ["shaky"] });
    const url = `${await urlOf(storage)}/shaky/k`;
    const put = (body: string) => fetch(url, { method: "PUT", body });
    storage.faults.add({ operation: "PutObject", bucket: "shaky", error: "SlowDown", count: 1 });
    const slowed = await put("1");
    assert.equal(slowed.status, 503);
    assert.match(await slowed.text(), /<Code>SlowDown<\/Code>/);
    assert.equal((await fetch(url)).status, 404);
    storage.faults.add({ key: "k", cut: "before", count: 1 });
    await assert.rejects(put("2"));
    assert.equal((await fetch(url)).status, 404);
    storage.faults.add({ operation: "PutObject", cut: "after", count: 1 });
    await assert.rejects(put("3"));
    assert.equal(await (await fetch(url)).text(), "3");
    storage.faults.add({ error: "InternalError" });
    assert.equal((await fetch(url)).status, 500);
    storage.faults.clear();
    assert.equal((await fetch(url)).status, 200);
    await refuses(
      () => storage.faults.add({ operation: "Put", error: "SlowDown" }),
      "ValidationError",
      "INVALID_FAULT",
    );
  });

  it("answers browsers of the origins that are allowed", async () => {
    const origin = "http://localhost:5173";
    const storage = await start({
      buckets: ["web"],
      cors: { enabled: true, allowedOrigins: [origin], allowCredentials: true },
    });
    const url = `${await urlOf(storage)}/web/page`;
    const ask = (from: string, method: string) =>
      fetch(url, { method: "OPTIONS", headers: { origin: from, "access-control-request-method": method } });
    const allowed = await ask(origin, "PUT");
    assert.equal(allowed.status, 204);
    assert.equal(allowed.headers.get("access-control-allow-origin"), origin);
    assert.equal(allowed.headers.get("access-control-allow-credentials"), "true");
    assert.equal(allowed.headers.get("access-control-max-age"), "86400");
    assert.equal((await ask("http://evil.example", "PUT")).status, 403);
    assert.equal((await ask(origin, "PATCH")).status, 403);
    const got = await fetch(url, { headers: { origin } });
    assert.equal(got.headers.get("access-control-expose-headers"), "ETag, x-amz-request-id, x-amz-version-id");
    assert.equal(
      (await fetch(url, { headers: { origin: "http://evil.example" } })).headers.get("access-control-allow-origin"),
      null,
    );
  });

  it("holds to its limits", async () => {
    const storage = await start({ buckets: ["limits"], limits: { maxObjectSize: 10, maxMetadataSize: 20 } });
    const url = `${await urlOf(storage)}/limits/k`;
    const code = async (init: RequestInit): Promise<string> =>
      /<Code>(\w+)/.exec(await (await fetch(url, init)).text())?.[1] ?? "";
    assert.equal(await code({ method: "PUT", body: "x".repeat(11) }), "EntityTooLarge");
    const headers = { "x-amz-meta-a": "x".repeat(20) };
    assert.equal(await code({ method: "PUT", body: "x", headers }), "MetadataTooLarge");
    assert.equal((await fetch(url)).status, 404);
  });

  /** Runs a program with `storage` started in it; gives back how it ended and what it wrote. */
  const runProgram = (
    lines: string,
    more: ISmartStorageConfig = {},
  ): Promise<{ code: number | null; out: string; err: string }> => {
    const entry = require.resolve("holdfast");
    const program = `
      const { SmartStorage } = require(${JSON.stringify(entry)});
      (async () => {
        const storage = await SmartStorage.createAndStart(${JSON.stringify(config(more))});
        ${lines}
      })().catch((error) => { console.error(error); process.exit(1); });`;
    const child = spawn(process.execPath, ["--expose-gc", "-e", program], { stdio: ["ignore", "pipe", "pipe"] });
    const result = { code: null as number | null, out: "", err: "" };
    child.stderr.on("data", (data) => (result.err += data));
    child.stdout.on("data", (data) => {
      result.out += data;
      if (result.out.includes("kill me\n")) child.kill("SIGKILL");
    });
    return new Promise((done) => child.on("close", (code) => done({ ...result, code })));
  };

  it("keeps the process alive until it is stopped or let go", async () => {
    const stopped = await runProgram("await storage.stop(); console.log('stopped');");
    assert.deepEqual([stopped.code, stopped.out], [0, "stopped\n"]);
    const letGo = await runProgram("storage.unref(); console.log('let go');");
    assert.deepEqual([letGo.code, letGo.out], [0, "let go\n"]);
    // The timer alone does not keep the process: it fires only where something else does.
    const alive = await runProgram('setTimeout(() => console.log("kill me"), 20).unref();');
    assert.deepEqual([alive.code, alive.out], [null, "kill me\n"]);
  });

  it("serves on when nobody refers to it any more", async () => {
    const forgotten = await runProgram(`
      const { port } = await storage.getStorageDescriptor();
      setTimeout(async () => {
        // What is collected is let go in a later turn.
        for (let turn = 0; turn < 10; turn++) {
          gc();
          await new Promise(setImmediate);
        }
        console.log((await fetch("http://127.0.0.1:" + port)).status);
        process.exit(0);
      }, 0);`);
    assert.deepEqual([forgotten.code, forgotten.out], [0, "200\n"]);
  });

  it("logs each request as text or JSON, and nothing when silent", async () => {
    const ask = `
      const { port } = await storage.getStorageDescriptor();
      await fetch("http://127.0.0.1:" + port + "/logged/k");
      await storage.stop();`;
    const lines = await runProgram(ask, { server: { silent: false }, logging: { format: "json" } });
    const request = JSON.parse(
      lines.err
        .trim()
        .split("\n")
        .find((line) => line.includes("GetObject")) ?? "{}",
    );
    assert.equal(request.fields.bucket, "logged");
    assert.equal(request.fields.status, 404);
    const text = await runProgram(ask, { server: { silent: false } });
    assert.match(text.err, /INFO .*request operation="GetObject" bucket="logged"/);
    assert.equal((await runProgram(ask, { server: { silent: false }, logging: { level: "warn" } })).err, "");
    assert.equal((await runProgram(ask)).err, "");
  });
});
