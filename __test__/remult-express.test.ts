// Remult on Express, over HTTP as a browser has it: the entities' API and live queries.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { before, describe, it } from "node:test";
import express from "express";
import { createS3DataProvider, type ReplicatedSqlDatabase, restore } from "holdfast";
import { describeEntity, Fields } from "remult";
import { remultApi } from "remult/remult-express";

import { useReplicaBucket } from "./replica-bucket.js";

const ROOT = resolve(__dirname, "..");

class Task {
  id = 0;
  title = "";
}
describeEntity(Task, "tasks", { id: Fields.autoIncrement(), title: Fields.string() }, { allowApiCrud: true });

describe("Remult on Express", () => {
  const used = useReplicaBucket(async () => {
    server.closeAllConnections();
    server.close();
    await (await dataProvider()).close();
  });
  let server: Server;
  let url: string;
  let dataProvider: () => Promise<ReplicatedSqlDatabase>;

  before(async () => {
    dataProvider = createS3DataProvider({
      file: join(used.folder, "app.sqlite"),
      s3: used.place("app"),
      sync: { mode: "sync" },
      handleSignals: false,
    });
    server = express()
      .use(remultApi({ dataProvider, entities: [Task] }))
      .listen(0, "127.0.0.1");
    await once(server, "listening");
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  it("what its API answered is in the bucket", async () => {
    const answer = await fetch(`${url}/api/tasks`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ title: "posted" }),
    });
    assert.deepEqual([answer.status, await answer.json()], [201, { id: 1, title: "posted" }]);
    const file = join(used.folder, "restored.sqlite");
    await restore({ file, s3: used.place("app") });
    const copy = await createS3DataProvider({ file, s3: used.place("copy"), handleSignals: false })();
    assert.deepEqual((await copy.execute("select id, title from tasks")).rows, [{ id: 1, title: "posted" }]);
    await copy.close();
  });

  it("a live query tells of inserts, updates and deletes, whoever makes them", { timeout: 60_000 }, async () => {
    const watcher = spawn(process.execPath, ["--input-type=module", "-e", WATCHER, `${url}/api`], {
      cwd: ROOT,
      stdio: ["ignore", "pipe", "inherit"],
    });
    const lines = createInterface({ input: watcher.stdout })[Symbol.asyncIterator]();
    const shows = async (...titles: string[]): Promise<void> => {
      let shown: string;
      do {
        const { value, done } = await lines.next();
        assert.ok(!done, `the watcher ended before it showed ${titles}`);
        shown = value;
      } while (shown !== JSON.stringify(titles));
    };
    const send = (method: string, path: string, body?: object) =>
      fetch(`${url}/api/tasks${path}`, {
        method,
        headers: { "content-type": "application/json" },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    try {
      await shows();
      const one = (await (await send("POST", "", { title: "live one" })).json()) as Task;
      await shows("live one");
      await send("POST", "", { title: "another matter" });
      await send("POST", "", { title: "live two" });
      await shows("live one", "live two");
      await send("PUT", `/${one.id}`, { title: "live one, changed" });
      await shows("live one, changed", "live two");
      await send("DELETE", `/${one.id}`);
      await shows("live two");
    } finally {
      watcher.kill();
      await once(watcher, "exit");
    }
  });
});

/** A browser in a process of its own: it prints the titles of a live query, each time they change. */
const WATCHER = `
  import { EventSource } from "eventsource";
  import { describeEntity, Fields, remult } from "remult";
  class Task {}
  describeEntity(Task, "tasks", { id: Fields.autoIncrement(), title: Fields.string() }, { allowApiCrud: true });
  globalThis.EventSource = EventSource;
  remult.apiClient.url = process.argv[1];
  remult
    .repo(Task)
    .liveQuery({ where: { title: { $startsWith: "live" } }, orderBy: { id: "asc" } })
    .subscribe(({ items }) => console.log(JSON.stringify(items.map(({ title }) => title))));
`;
