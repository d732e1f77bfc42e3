// Opening a database that can't be reached or used: it fails with its reason, in the time that was asked for.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { after, describe, it } from "node:test";
import { S3Level } from "holdfast/level";
import S3LevelDown from "holdfast/leveldown";
import { refusal } from "./refusal.mts";
import { levelServer } from "./server.mts";

const { s3, storage, location } = await levelServer();
const quick = { ...s3, connectTimeout: 500, attemptTimeout: 500, operationTimeout: 1000 };
/** Far more than what is asked for: whatever takes longer hangs. */
const bound = { timeout: 60_000 };

/** The address of a server that is listening until the tests are over. */
async function listening(server: Server): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function addressWhereNobodyListens(): Promise<string> {
  const server = createServer();
  const address = await listening(server);
  server.close();
  await once(server, "close");
  return address;
}

async function addressThatNeverAnswers(): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => void sockets.add(socket.on("error", () => undefined)));
  after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return listening(server);
}

async function addressThatForbidsEverything(): Promise<string> {
  const server = createHttpServer((request, response) => {
    request.resume();
    response.writeHead(403, { "content-type": "application/xml" });
    response.end("<Error><Code>AccessDenied</Code><Message>no</Message></Error>");
  });
  after(() => server.close());
  return listening(server);
}

const refusals = [
  ["that refuses connections", { ...s3, endpoint: await addressWhereNobodyListens() }, "LEVEL_CONNECTION_FAILED"],
  ["that never answers", { ...quick, endpoint: await addressThatNeverAnswers() }, "LEVEL_TIMEOUT"],
  ["that forbids everything", { ...s3, endpoint: await addressThatForbidsEverything() }, "LEVEL_ACCESS_DENIED"],
] as const;

for (const [what, settings, code] of refusals) {
  describe(`an endpoint ${what}`, () => {
    for (const layout of ["objects", "lsm"] as const) {
      it(`fails the opening of layout ${layout} with ${code}`, bound, async () => {
        assert.equal(await refusal(location(), { s3: settings, layout }), code);
      });
    }

    it(`fails S3LevelDown, destroy() and migrate() with ${code}`, bound, async () => {
      const opening = new Promise<void>((done, failed) =>
        new S3LevelDown(location(), settings).open((error) => (error ? failed(error) : done())),
      );
      const migrating = S3Level.migrate(location(), location(), { layout: "lsm", s3: settings });
      const all = [opening, S3Level.destroy(location(), settings), migrating];
      await Promise.all(all.map((refused) => assert.rejects(refused, { code })));
    });
  });
}

describe("an endpoint whose name nobody knows", () => {
  it("fails the opening", bound, async () => {
    // A resolver may say so, or say nothing.
    const code = await refusal(location(), { s3: { ...quick, endpoint: "http://storage.invalid" } });
    assert.ok(["LEVEL_CONNECTION_FAILED", "LEVEL_TIMEOUT"].includes(code), code);
  });
});

describe("a tree that is there", () => {
  for (const [what, settings, fault, code] of [
    ["that may not be written", s3, { operation: "PutObject", error: "AccessDenied" }, "LEVEL_ACCESS_DENIED"],
    ["that may not be listed", s3, { operation: "ListObjectsV2", error: "AccessDenied" }, "LEVEL_ACCESS_DENIED"],
    ["whose bucket does not answer", quick, { operation: "PutObject", delayMs: 4000 }, "LEVEL_TIMEOUT"],
  ] as const) {
    it(`${what} fails to open with ${code}, and opens when it may`, bound, async () => {
      const db = new S3Level(location(), { s3 });
      await db.put("a", "1");
      await db.close();
      storage.faults.add(fault);
      assert.equal(await refusal(db.location, { s3: settings }), code);
      storage.faults.clear();
      await db.open();
      assert.equal(await db.get("a"), "1");
      await db.close();
    });
  }
});
