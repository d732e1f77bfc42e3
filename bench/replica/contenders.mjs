// Who replicates SQLite to a bucket here: each opens a database, writes a row, closes, and restores it elsewhere.
import { execFile, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const here = fileURLToPath(new URL(".", import.meta.url));
const requirePeer = createRequire(resolve(here, "../package.json"));
const { createS3DataProvider, restore } = createRequire(resolve(here, "../../package.json"))("holdfast");

const place = (bucket, name) => ({
  bucket: "bench",
  databaseName: name,
  endpoint: bucket.endpoint,
  forcePathStyle: true,
  credentials: bucket.credentials,
});

/** @param {"sync" | "async"} mode When a write is acknowledged. */
export function holdfast(mode) {
  const options = (bucket, file, name) => ({
    file,
    s3: place(bucket, name),
    sync: { mode, snapshotInterval: 0 },
    handleSignals: false,
  });
  return {
    isSynced: mode === "sync",
    async open(bucket, file, name) {
      const database = await createS3DataProvider(options(bucket, file, name))();
      return {
        run: (sql) => database.execute(sql),
        settled: () => database.sync(),
        close: () => database.close(),
      };
    },
    restore: (bucket, file, name) => restore({ file, s3: place(bucket, name) }),
  };
}

/** remult-sqlite-s3: the whole database after each write; restores by starting without a file. */
export function remultSqliteS3() {
  const { createS3DataProvider: create } = requirePeer("remult-sqlite-s3");
  const open = (bucket, file, name) =>
    create({ file, s3: place(bucket, name), sync: { mode: "sync", snapshotInterval: 1e9, forceLock: true } })();
  return {
    isSynced: true,
    /** Each write moves the whole database: it is measured once. */
    isSlow: true,
    async open(bucket, file, name) {
      const database = await open(bucket, file, name);
      return {
        run: (sql) => database.execute(sql),
        settled: async () => undefined,
        close: () => database.end(),
      };
    },
    async restore(bucket, file, name) {
      await (await open(bucket, file, name)).end();
    },
  };
}

/** A sidecar that watches a file which better-sqlite3 writes: it stores commits some time after they were made. */
function sidecar({ replicate, restoreWith, isSettled }) {
  const Database = requirePeer("better-sqlite3");
  return {
    isSynced: false,
    async open(bucket, file, name) {
      const database = new Database(file);
      database.pragma("journal_mode = WAL");
      database.pragma("synchronous = NORMAL");
      database.exec("create table if not exists _ready (n integer)");
      const [program, args, env] = replicate(bucket, file, name);
      const child = spawn(program, args, { stdio: "ignore", env: { ...process.env, ...env } });
      await isSettled(bucket);
      return {
        run: async (sql) => database.exec(sql),
        settled: () => isSettled(bucket),
        async close() {
          child.kill("SIGINT");
          await once(child, "exit");
          database.close();
        },
      };
    },
    async restore(bucket, file, name) {
      const [program, args, env] = restoreWith(bucket, file, name);
      await run(program, args, { env: { ...process.env, ...env } });
      if (!existsSync(file)) throw new Error(`${program} made no file`);
    },
  };
}

/** Waits until a bucket was sent nothing new for a second and a half. */
async function quiet(bucket) {
  let before = -1;
  for (;;) {
    const { puts } = await bucket.counts();
    if (puts === before && puts > 0) return;
    before = puts;
    await sleep(1500);
  }
}

const isThere = (program) => spawnSync(program, ["version"], { stdio: "ignore" }).error === undefined;
const awsKeys = ({ credentials }) => ({
  AWS_ACCESS_KEY_ID: credentials.accessKeyId,
  AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  AWS_REGION: "us-east-1",
});

/** Litestream 0.3; `LITESTREAM` names the program. `undefined` where it isn't there. */
export function litestream() {
  const program = process.env.LITESTREAM ?? "litestream";
  if (!isThere(program)) return undefined;
  const config = (bucket, file, name) => {
    const path = `${file}.litestream.yml`;
    const replica = [
      "type: s3",
      "bucket: bench",
      `path: ${name}`,
      `endpoint: ${bucket.endpoint}`,
      "region: us-east-1",
      "force-path-style: true",
      "sync-interval: 100ms",
    ];
    const lines = ["dbs:", `  - path: ${file}`, "    replicas:", `      - ${replica.join("\n        ")}`];
    writeFileSync(path, `${lines.join("\n")}\n`);
    return path;
  };
  return sidecar({
    replicate: (bucket, file, name) => [program, ["replicate", "-config", config(bucket, file, name)], awsKeys(bucket)],
    restoreWith: (bucket, file, name) => [
      program,
      ["restore", "-config", config(bucket, file, name), "-o", file, file],
      awsKeys(bucket),
    ],
    isSettled: quiet,
  });
}

/** walrust; `WALRUST` names the program. `undefined` where it isn't there. */
export function walrust() {
  const program = process.env.WALRUST ?? "walrust";
  if (!isThere(program)) return undefined;
  const target = (bucket, name) => ["--bucket", `s3://bench/${name}`, "--endpoint", bucket.endpoint];
  return sidecar({
    replicate: (bucket, file, name) => [program, ["watch", file, ...target(bucket, name)], awsKeys(bucket)],
    restoreWith: (bucket, file, name) => [
      program,
      ["restore", "app", "--output", file, ...target(bucket, name)],
      awsKeys(bucket),
    ],
    isSettled: quiet,
  });
}

/** Removes a database and everything beside it. */
export function removeDatabase(file) {
  for (const suffix of ["", "-wal", "-shm", ".s3state", ".s3lock", ".litestream.yml"]) {
    rmSync(`${file}${suffix}`, { force: true });
  }
  rmSync(join(dirname(file), `.${file.split("/").at(-1)}-litestream`), { recursive: true, force: true });
}
