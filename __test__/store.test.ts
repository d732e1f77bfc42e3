import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { type AdapterName, ConfigError, createStore, type StoreOptions } from "holdfast";

const run = promisify(execFile);
const root = process.cwd();
let folder: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "holdfast-store-"));
});
after(() => rm(folder, { recursive: true, force: true }));

/** Runs a script that may import the package by its name; gives back what it printed. */
async function script(code: string, ...args: string[]): Promise<string> {
  const { stdout } = await run(process.execPath, ["--input-type=module", "-e", code, ...args], { cwd: root });
  return stdout;
}

describe("createStore", () => {
  it("with a name alone opens ./data/<name>.db, making the folder", async () => {
    const before = process.cwd();
    process.chdir(folder);
    try {
      const store = await createStore("my-app");
      await store.kv.set("a", 1);
      await store.close();
      assert.ok(existsSync(join(folder, "data", "my-app.db")));
    } finally {
      process.chdir(before);
    }
  });

  it("takes a name and options, or options with a name, nested or flat", async () => {
    const path = join(folder, "forms.db");
    const forms: (() => ReturnType<typeof createStore>)[] = [
      () => createStore("forms", { adapter: "sqlite", path }),
      () => createStore({ name: "forms", adapter: "sqlite", path, busyTimeout: 1000 }),
      () => createStore({ name: "forms", sqlite: { path, walMode: true, synchronous: "full" } }),
      () => createStore("forms", { sqlite: { path, cacheSize: 4096 }, path, journalSizeLimit: 1 << 20, mmapSize: 0 }),
    ];
    for (const open of forms) {
      await using store = await open();
      assert.equal(store.name, "forms");
      await store.kv.increment("opened");
    }
    await using store = await createStore("forms", { path });
    assert.equal(await store.kv.get("opened"), forms.length);
  });

  const refused: [string, StoreOptions, string][] = [
    ["an unknown adapter", { adapter: "mysql" as AdapterName }, "UNKNOWN_ADAPTER"],
    [
      "an adapter without its four methods",
      { adapter: { get: async () => 1 } as unknown as AdapterName },
      "UNKNOWN_ADAPTER",
    ],
    ["an unknown setting", { pth: "x" } as StoreOptions, "UNKNOWN_OPTION"],
    ["an unknown nested setting", { sqlite: { pth: "x" } } as StoreOptions, "UNKNOWN_OPTION"],
    ["a setting of another adapter", { adapter: "sqlite", bucket: "x" }, "UNKNOWN_OPTION"],
    ["a group that nothing uses", { adapter: "sqlite", s3: { bucket: "x" } }, "UNKNOWN_OPTION"],
    ["a setting given twice with different values", { path: "a.db", sqlite: { path: "b.db" } }, "SETTING_CONFLICT"],
    [
      "S3 without a bucket",
      { adapter: "s3", credentials: { accessKeyId: "a", secretAccessKey: "b" } },
      "BUCKET_MISSING",
    ],
    [
      "credentials that the environment does not have",
      { adapter: "s3", bucket: "b", credentials: { accessKeyId: undefined, secretAccessKey: "s" } },
      "CREDENTIALS_MISSING",
    ],
    ["a value out of range", { path: "x.db", synchronous: "sometimes" as "off" }, "INVALID_SETTINGS"],
    ["a setting of the wrong kind", { path: "x.db", busyTimeout: "5 s" as unknown as number }, "INVALID_SETTINGS"],
    ["a nested setting below zero", { sqlite: { path: "x.db", cacheSize: -1 } }, "INVALID_SETTINGS"],
    ["a class that is no object", { kv: "memory" as unknown as StoreOptions }, "INVALID_SETTINGS"],
  ];
  for (const [what, options, code] of refused) {
    it(`refuses ${what}`, async () => {
      await assert.rejects(createStore("x", options), (error: ConfigError) => {
        assert.deepEqual([error instanceof ConfigError, error.code], [true, code], error.message);
        return true;
      });
      assert.ok(!existsSync("x.db") && !existsSync("data/x.db"));
    });
  }

  it("names both places of a setting given twice, and shows neither value", async () => {
    const options = { adapter: "s3", bucket: "one-secret", s3: { bucket: "two-secret" } } as const;
    const error = await createStore("x", options).catch((error: Error) => error);
    assert.match(String(error), /bucket and s3\.bucket/);
    assert.doesNotMatch(String(error), /secret/);
  });

  it("refuses names that can't be a file's, unless there is a path", async () => {
    for (const name of ["", "..", "a/b", undefined]) {
      await assert.rejects(createStore(name as string), { code: "INVALID_NAME" });
    }
    await using store = await createStore("a/b", { path: join(folder, "named.db") });
    assert.equal(store.name, "a/b");
  });

  it("says plainly that nothing listens where Postgres should", async () => {
    const connection = { host: "127.0.0.1", port: 1, password: "p" };
    await assert.rejects(createStore("x", { adapter: "postgres", connection }), { name: "ConnectionError" });
  });

  it("refuses a file that is not its own, and leaves it as it is", async () => {
    const path = join(folder, "foreign.db");
    await writeFile(path, "this is no database, and it is longer than a header. ".repeat(10));
    await assert.rejects(createStore("x", { path }), { name: "IntegrityError" });
    assert.match(await readFile(path, "utf8"), /^this is no database/);
  });

  it("gives classes with the same settings one adapter, and others their own", async () => {
    await using store = await createStore("mixed", { path: join(folder, "mixed.db"), kv: { adapter: "memory" } });
    assert.deepEqual([store.capabilities.atomic, store.capabilities.durable], [false, false]);
    await assert.rejects(store.atomic().set("a", 1).commit(), { name: "CapabilityError" });
    await store.kv.set("a", 1);
    await store.records.put("a", 2);
    assert.equal(await store.kv.get("a"), 1);
  });
});

describe("a store and its process", () => {
  it("left open with a listener, does not keep the process alive", async () => {
    const code = `
      import { createStore } from "holdfast";
      const store = await createStore("x", { path: process.argv[1] });
      store.on("*", () => {});
      await store.kv.set("a", 1);
      void store.events.read({ live: true }).next();
      void store.kv.watch("a").next();
      void store.records.watch({ prefix: "" }).next();
      await store.events.subscribe({ name: "one" }, () => { throw new Error("again and again"); });
      await store.events.append("s", 1);
      console.log("end");`;
    assert.equal(await script(code, join(folder, "left-open.db")), "end\n");
  });

  it("shares its file with other processes: two increment one counter", async () => {
    const path = join(folder, "shared.db");
    await (await createStore("x", { path })).close();
    const code = `
      import { createStore } from "holdfast";
      const store = await createStore("x", { path: process.argv[1] });
      for (let n = 0; n < 200; n++) await store.kv.increment("n");
      await store.close();`;
    await Promise.all([script(code, path), script(code, path)]);
    await using store = await createStore("x", { path });
    assert.equal(await store.kv.get("n"), 400);
  });

  it("keeps what was acknowledged when it is killed", async () => {
    const path = join(folder, "killed.db");
    const code = `
      import { createStore } from "holdfast";
      const store = await createStore("x", { path: process.argv[1] });
      for (let n = 0; ; n++) {
        await Promise.all([store.records.put("n", n), store.kv.set("k" + n, n)]);
        console.log(n);
      }`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", code, path], { cwd: root });
    let printed = "";
    child.stdout.on("data", (chunk: Buffer) => {
      printed += chunk.toString();
      if (printed.split("\n").length > 50) child.kill("SIGKILL");
    });
    await new Promise((resolve) => child.once("close", resolve));
    assert.equal(child.signalCode, "SIGKILL");
    const last = Number(printed.split("\n").at(-2));
    await using store = await createStore("x", { path });
    assert.ok((await store.records.get<number>("n")).value >= last);
    assert.ok((await store.kv.count()) >= last + 1);
  });

  it("sees what another process appends, in a live reader", async () => {
    const path = join(folder, "live.db");
    await using store = await createStore("x", { path });
    // A reader that waits does not keep the process alive; this does.
    const alive = setInterval(() => {}, 1000);
    const reader = store.events.read<number>({ live: true });
    const next = reader.next();
    const code = `
      import { createStore } from "holdfast";
      const store = await createStore("x", { path: process.argv[1] });
      await store.events.append("s", 7);
      await store.close();`;
    await script(code, path);
    const { value } = await next;
    clearInterval(alive);
    assert.equal(value?.payload, 7);
    await reader.return();
  });

  it("sees what another process does to a watched key", async () => {
    const path = join(folder, "watched.db");
    await using store = await createStore("x", { path });
    const alive = setInterval(() => {}, 1000);
    const watch = store.records.watch<number>("a");
    const next = watch.next();
    const code = `
      import { createStore } from "holdfast";
      const store = await createStore("x", { path: process.argv[1] });
      await store.records.put("a", 7);
      await store.close();`;
    await script(code, path);
    assert.deepEqual((await next).value, { type: "put", key: "a", value: 7, version: 1 });
    clearInterval(alive);
    await watch.return();
  });

  it("loses no event of a subscription when it is killed while handling", async () => {
    const path = join(folder, "subscribed.db");
    await using store = await createStore("x", { path });
    await store.events.appendMany(
      "s",
      Array.from({ length: 300 }, (_, n) => n),
    );
    const code = `
      import { createStore } from "holdfast";
      const store = await createStore("x", { path: process.argv[1] });
      setInterval(() => {}, 1000);
      await store.events.subscribe({ name: "one" }, async ({ payload }) => {
        await new Promise((resolve) => process.stdout.write(payload + "\\n", resolve));
      });`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", code, path], { cwd: root });
    const handled: number[] = [];
    let rest = "";
    child.stdout.on("data", (chunk: Buffer) => {
      const lines = (rest + chunk.toString()).split("\n");
      rest = lines.pop() ?? "";
      handled.push(...lines.map(Number));
      if (handled.length > 50) child.kill("SIGKILL");
    });
    await new Promise((resolve) => child.once("close", resolve));
    assert.equal(child.signalCode, "SIGKILL");
    const again: number[] = [];
    await new Promise<void>((resolve, reject) => {
      const handler = ({ payload }: { payload: number }) => {
        again.push(payload);
        if (payload === 299) resolve();
      };
      store.events.typed<number>().subscribe({ name: "one" }, handler).catch(reject);
    });
    // How many checkpoints were written before the end, nobody knows.
    const [first = -1] = again;
    assert.ok(first >= 0 && first <= (handled.at(-1) ?? -1) + 1, `began again at ${first}, after ${handled.at(-1)}`);
    assert.deepEqual(
      again,
      Array.from({ length: 300 - first }, (_, n) => first + n),
    );
  });
});
