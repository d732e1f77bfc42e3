import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, it } from "node:test";
import { createS3DataProvider } from "holdfast";

import { PROGRAM, run as runProgram } from "./cli-program.mjs";
import { useReplicaBucket } from "./replica-bucket.js";

describe("holdfast restore and replicas", () => {
  const used = useReplicaBucket();
  let environment: Record<string, string>;
  const points: { position: number; time: string }[] = [];

  /** Runs `holdfast` to its end, with the keys of the server. */
  const run = (...args: string[]) => runProgram(args, environment);

  before(async () => {
    const s3 = { ...used.place("app"), keyPrefix: "team/a" };
    environment = {
      AWS_ENDPOINT_URL: String(s3.endpoint),
      AWS_REGION: "us-east-1",
      AWS_ACCESS_KEY_ID: String(s3.credentials?.accessKeyId),
      AWS_SECRET_ACCESS_KEY: String(s3.credentials?.secretAccessKey),
    };
    const database = await createS3DataProvider({
      file: join(used.folder, "app.sqlite"),
      s3,
      sync: { mode: "sync" },
      handleSignals: false,
    })();
    await database.execute("create table t (n integer)");
    for (const n of [1, 2]) {
      await database.execute(`insert into t values (${n})`);
      points.push({ position: database.status().position, time: new Date().toISOString() });
    }
    await database.close();
  });
  it("tells what the bucket keeps of a database", async () => {
    const { code, stdout } = await run("replicas", "s3://bucket/team/a/app", "--json");
    assert.equal(code, 0);
    const inventory = JSON.parse(stdout);
    assert.ok(inventory.generations.length >= 1);
    assert.ok(inventory.position >= (points[1]?.position ?? 0));
    assert.ok(inventory.generations.at(-1).snapshot.size >= 4096);
    assert.ok(inventory.lagMs >= 0 && inventory.lagMs < 600_000, String(inventory.lagMs));
    assert.equal(inventory.lease, undefined);
    const forPeople = await run("replicas", "s3://bucket/team/a/app");
    assert.match(
      forPeople.stdout,
      /^position \d+, last committed at [^\n]*\n[\s\S]*snapshot of \d+ bytes at position \d+/,
    );
  });

  it("restores the newest state, and the state as of a position", async () => {
    const newest = join(used.folder, "newest.sqlite");
    const done = await run("restore", "s3://bucket/team/a/app", newest, "--json");
    assert.equal(done.code, 0, done.stderr);
    assert.equal(JSON.parse(done.stdout).size, readFileSync(newest).length);
    assert.equal(readFileSync(newest).subarray(0, 15).toString(), "SQLite format 3");
    const position = points[0]?.position ?? -1;
    const earlier = join(used.folder, "earlier.sqlite");
    const early = await run("restore", "s3://bucket/team/a/app", earlier, "--position", String(position), "--json");
    assert.equal(early.code, 0, early.stderr);
    assert.equal(JSON.parse(early.stdout).position, position);
  });

  it("shows a bar on a terminal, and none in a pipe", async (context) => {
    const piped = await run("restore", "s3://bucket/team/a/app", join(used.folder, "piped.sqlite"));
    assert.deepEqual([piped.code, piped.stderr.trim().split("\n").length], [0, 1], piped.stderr);
    const file = join(used.folder, "terminal.sqlite");
    const line = `"${process.execPath}" "${PROGRAM}" restore s3://bucket/team/a/app "${file}"`;
    // script(1) gives a program a terminal.
    const env = { ...process.env, ...environment };
    const terminal = spawnSync("script", ["-qec", line, "/dev/null"], { env, encoding: "utf8" });
    if (terminal.error !== undefined) {
      context.skip(`script(1), which stands for a terminal, can't be run: ${terminal.error.message}`);
      return;
    }
    assert.match(terminal.stdout, /restoring \[.*\] \d+% of \d+ bytes/);
    assert.ok(existsSync(file), terminal.stdout);
  });

  it("touches no file that is there, and says what to do about a database that isn't", async () => {
    const taken = await run("restore", "s3://bucket/team/a/app", PROGRAM, "--json");
    assert.deepEqual([taken.code, JSON.parse(taken.stderr).error.code], [1, "FILE_EXISTS"]);
    const absent = await run("restore", "s3://bucket/nobody", join(used.folder, "none.sqlite"), "--json");
    assert.deepEqual([absent.code, JSON.parse(absent.stderr).error.code], [1, "NO_REPLICA"]);
    assert.equal(existsSync(join(used.folder, "none.sqlite")), false);
  });

  it("ends with 2 on a time or a database that can't be one", async () => {
    const time = await run("restore", "s3://bucket/app", "x.sqlite", "--at", "yesterday");
    assert.deepEqual([time.code, /A time is written/.test(time.stderr)], [2, true]);
    const both = await run("restore", "s3://bucket/app", "x.sqlite", "--at", "2026-01-01", "--position", "1");
    assert.deepEqual([both.code, /cannot be used with/.test(both.stderr)], [2, true]);
    const place = await run("replicas", "http://bucket/app", "--json");
    assert.deepEqual([place.code, JSON.parse(place.stderr).error.code], [2, "INVALID_SETTINGS"]);
  });
});
