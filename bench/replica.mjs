// createS3DataProvider beside remult-sqlite-s3, Litestream and walrust, on a holdfast server in a process of its own that
// answers at once, and 25 ms late. Bytes and requests are what that server counted.
//   npm run bench replica
// LITESTREAM and WALRUST name those programs; what is not there is left out. BENCH_LATENCIES=0,25 and
// BENCH_SIZES=1,10,50 (MB; 500 takes minutes) choose less or more.
import { createWriteStream, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { startBucket } from "./replica/bucket.mjs";
import { holdfast, litestream, removeDatabase, remultSqliteS3, walrust } from "./replica/contenders.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const { S3Client, GetObjectCommand, ListObjectsV2Command } = createRequire(resolve(here, "../package.json"))(
  "@aws-sdk/client-s3",
);
const numbers = (name, usual) => (process.env[name] ?? usual).split(",").map(Number);
const LATENCIES = numbers("BENCH_LATENCIES", "0,25");
const SIZES = numbers("BENCH_SIZES", "1,10,50,500");
const WRITERS = numbers("BENCH_WRITERS", "1,32,256");
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 5);
/** The predecessor stores the whole database with each write: larger ones would be measured for hours. */
const MOST_OF_PREDECESSOR = 50;

const folder = mkdtempSync(join(tmpdir(), "holdfast-bench-replica-"));
const contenders = {
  holdfast: holdfast("sync"),
  "holdfast, async": holdfast("async"),
  "remult-sqlite-s3": remultSqliteS3(),
  litestream: litestream(),
  walrust: walrust(),
};
for (const [name, contender] of Object.entries(contenders)) {
  if (contender === undefined) console.log(`${name} is not there and left out`);
}
const present = Object.entries(contenders).filter(([, contender]) => contender !== undefined);

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];
const ms = (value) => `${value.toFixed(value < 10 ? 2 : 0)} ms`;
const timed = async (work) => {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
};
const fileOf = (name) => {
  const path = join(folder, name.replaceAll(/\W+/g, "-"), "app.sqlite");
  mkdirSync(join(path, ".."), { recursive: true });
  return path;
};

/** Fills a database with random rows, in transactions of a few MB. */
async function fill(database, megabytes) {
  await database.run("create table big (id integer primary key, n integer, body blob)");
  for (let left = megabytes; left > 0; left -= 5) {
    const rows = Math.ceil((Math.min(left, 5) * 1e6) / 1040);
    await database.run(
      `insert into big (n, body) with recursive c(x) as (values(1) union all select x + 1 from c where x < ${rows}) select x, randomblob(1000) from c`,
    );
  }
}

/** The time of a write, of so many at once, and what it costs. */
async function writes(bucket, name, contender, megabytes) {
  const file = fileOf(`writes ${name} ${megabytes}`);
  const database = await contender.open(bucket, file, `writes-${name.replaceAll(/\W+/g, "-")}`);
  await fill(database, megabytes);
  await database.settled();
  for (const writers of WRITERS) {
    const insert = () => database.run("insert into big (n, body) values (7, hex(randomblob(500)))");
    const each = contender.isSlow ? 1 : Math.max(1, Math.round(32 / writers));
    const rounds = contender.isSlow ? 1 : ROUNDS;
    const round = async () => {
      for (let n = 0; n < each; n++) await Promise.all(Array.from({ length: writers }, insert));
    };
    if (!contender.isSlow) await round();
    await database.settled();
    await bucket.clear();
    const times = [];
    for (let n = 0; n < rounds; n++) times.push(await timed(round));
    await database.settled();
    const { requests, puts, bytesIn } = await bucket.counts();
    const commits = rounds * each * writers;
    const time = median(times) / each;
    console.log(
      `  ${`${writers} writers`.padEnd(12)} ${name.padEnd(18)} ${ms(time).padStart(9)} a round, ` +
        `${Math.round(writers / (time / 1000))}/s, ${(bytesIn / commits).toFixed(0)} bytes, ` +
        `${(puts / commits).toFixed(3)} puts, ${(requests / commits).toFixed(3)} requests a commit` +
        `${contender.isSynced ? "" : " (acknowledged before it is stored)"}`,
    );
  }
  await database.close();
  return file;
}

/** A start with everything in place, and what it is sent. */
async function restart(bucket, name, contender, file) {
  await bucket.clear();
  let database;
  const took = await timed(async () => {
    database = await contender.open(bucket, file, `writes-${name.replaceAll(/\W+/g, "-")}`);
  });
  await database.close();
  const { requests, bytesIn } = await bucket.counts();
  console.log(
    `  ${name.padEnd(18)} open ${ms(took).padStart(8)}; with close ${requests} requests, ${bytesIn} bytes up`,
  );
}

/** Downloads everything under a prefix into one file, one object after the other: what a restore is measured by. */
async function download(bucket, prefix, file) {
  const client = new S3Client({
    endpoint: bucket.endpoint,
    region: "us-east-1",
    forcePathStyle: true,
    credentials: bucket.credentials,
  });
  const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: "bench", Prefix: prefix }));
  const largest = Contents.sort((a, b) => b.Size - a.Size)[0];
  const { Body } = await client.send(new GetObjectCommand({ Bucket: "bench", Key: largest.Key }));
  await pipeline(Body, createWriteStream(file, { flush: true }));
  client.destroy();
}

/** Fills a database with each contender, and gives how each restores it; first of all, a plain download. */
async function restoresOf(bucket, megabytes, target) {
  const runs = new Map();
  for (const [name, contender] of present) {
    if (name === "holdfast, async" || (name === "remult-sqlite-s3" && megabytes > MOST_OF_PREDECESSOR)) continue;
    const database = `restore-${name}-${megabytes}`;
    const source = fileOf(`source ${name} ${megabytes}`);
    const open = await contender.open(bucket, source, database);
    await fill(open, megabytes);
    await open.settled();
    await open.close();
    if (name === "holdfast") runs.set("a download", () => download(bucket, `${database}/`, `${target}.raw`));
    // A sidecar finds its replica by the path that it was made for.
    const file = contender.isSynced ? target : source;
    runs.set(name, () => contender.restore(bucket, file, database));
  }
  return runs;
}

async function restores(bucket, megabytes) {
  const target = fileOf(`restore ${megabytes}`);
  const runs = await restoresOf(bucket, megabytes, target);
  const times = new Map([...runs.keys()].map((name) => [name, []]));
  for (let round = -1; round < (megabytes > 100 ? 2 : ROUNDS); round++) {
    for (const [name, restore] of runs) {
      removeDatabase(target);
      if (contenders[name]?.isSynced === false) removeDatabase(fileOf(`source ${name} ${megabytes}`));
      const took = await timed(restore);
      if (round >= 0) times.get(name).push(took);
    }
  }
  const plain = median(times.get("a download"));
  for (const [name, all] of times) {
    const ratio = name === "a download" ? "" : `, ${(median(all) / plain).toFixed(2)} of the download`;
    console.log(`  ${`${megabytes} MB`.padEnd(8)} ${name.padEnd(18)} ${ms(median(all)).padStart(9)}${ratio}`);
    removeDatabase(fileOf(`source ${name} ${megabytes}`));
  }
}

for (const latency of LATENCIES) {
  const bucket = await startBucket(join(folder, `buckets-${latency}`), latency);
  console.log(`\nA row of 1,000 bytes into a database of 10 MB, S3 ${latency} ms away`);
  const files = new Map();
  for (const [name, contender] of present) files.set(name, await writes(bucket, name, contender, 10));
  console.log(`\nRestart with nothing to do, 10 MB, S3 ${latency} ms away`);
  for (const [name, contender] of present) await restart(bucket, name, contender, files.get(name));
  console.log(`\nRestore, S3 ${latency} ms away`);
  for (const megabytes of SIZES) await restores(bucket, megabytes);
  await bucket.stop();
}
rmSync(folder, { recursive: true, force: true });
process.exit(0);
