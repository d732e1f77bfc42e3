// What a page takes for given around a code block: a line that only the block has names it.
// A block without a scene stands alone: it is compiled and run as it is.

export interface Scene {
  page: string;
  /** A piece of the block's text, by which it is found. */
  has: string;
  /** Code before the block, and after it. */
  before?: string;
  after?: string;
  /** Why the block is compiled and not run. */
  notRun?: string;
}

/** A server, and an AWS SDK client of it. */
const SERVER = `
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { SmartStorage } from "holdfast";
const storage = await SmartStorage.createAndStart({ server: { port: 0, silent: true }, storage: { inMemory: true }, buckets: ["assets"] });
const reach = await storage.getStorageDescriptor();
const client = new S3Client({
  endpoint: \`http://\${reach.endpoint}:\${reach.port}\`, region: "us-east-1", forcePathStyle: true,
  credentials: { accessKeyId: reach.accessKey, secretAccessKey: reach.accessSecret },
});
const upload = (Key = "a") => client.send(new PutObjectCommand({ Bucket: "assets", Key, Body: "hello" }));
`;

const STORE = `
import { createStore } from "holdfast";
const store = await createStore({ name: "scene", adapter: "memory" });
`;

const CLOSE = "await store.close();";
const STOP = "client.destroy(); await storage.stop();";
const S3 = `const s3 = { bucket: "my-bucket", databaseName: "my-database" };`;

export const SCENES: readonly Scene[] = [
  {
    page: "docs/p2p.md",
    has: "our-todo-list",
    before: `process.env.TODO_SECRET = "of the pages' test";`,
    after: CLOSE,
  },
  {
    page: "README.md",
    has: "// 4. An ordered",
    after: "await db.close(); await store.close(); await (await dataProvider()).close(); await storage.stop();",
  },
  { page: "docs/console.md", has: "consoleUrl", after: "await storage.stop();" },
  { page: "docs/install.md", has: "vite.config.js", notRun: "Vite reads it; bundles.test.mts builds with Vite" },
  { page: "docs/level.md", has: 'region: "eu-central-1"', notRun: "it names a bucket of AWS" },
  {
    page: "docs/level.md",
    has: 'require("levelup")',
    before: `import { createRequire } from "node:module"; const require = createRequire(import.meta.url);`,
    notRun: "it names a bucket of AWS",
  },
  {
    page: "docs/level.md",
    has: "S3Level.migrate",
    before: `import { S3Level } from "holdfast/level";`,
    notRun: "it names a bucket of AWS; the tests of Level migrate",
  },
  { page: "docs/migrate.md", has: "DATABASE_URL", notRun: "it needs a Postgres server; migrate.test.ts has one" },
  { page: "docs/remult.md", has: "remultApi", before: "class Task {}", notRun: "it is a part of an application" },
  { page: "docs/remult.md", has: "exact.sqlite", notRun: "it names a bucket of AWS" },
  {
    page: "docs/remult.md",
    has: "readOnly: true",
    before: `import { createS3DataProvider } from "holdfast"; ${S3}`,
    notRun: "it names a bucket of AWS",
  },
  { page: "docs/remult.md", has: "await replicas({ s3 })", before: S3, notRun: "it names a bucket of AWS" },
  {
    page: "docs/storage.md",
    has: "dayLength: 100",
    before: `import { SmartStorage } from "holdfast";`,
    after: "await storage.stop();",
    notRun: "it takes the default port, which may be in use",
  },
  {
    page: "docs/storage.md",
    has: 'canonicalId: "5a2c…"',
    before: `import type { ISmartStorageConfig } from "holdfast"; export const settings: ISmartStorageConfig = {`,
    after: "};",
  },
  {
    page: "docs/storage.md",
    has: "tls: true",
    before: `import https from "node:https"; import { NodeHttpHandler } from "@smithy/node-http-handler"; import { SmartStorage } from "holdfast";`,
    after: "requestHandler.destroy(); await storage.stop();",
    notRun: "it writes into the default folder; storage-tls.test.ts runs the same",
  },
  {
    page: "docs/storage.md",
    has: "holdfast/vitest",
    before:
      "declare function fill(descriptor: object): Promise<void>; declare function test(name: string, work: () => unknown): void;",
    notRun: "fixtures.test.mts runs it in its runner",
  },
  {
    page: "docs/storage.md",
    has: "storage.restore(prepared)",
    before: `import { before, beforeEach } from "node:test"; import type { SmartStorage } from "holdfast"; declare const storage: SmartStorage; declare function uploadFixtures(): Promise<void>; let prepared: Awaited<ReturnType<SmartStorage["snapshot"]>>;`,
    notRun: "hooks of a test runner; storage-states.test.ts runs them",
  },
  { page: "docs/storage.md", has: "storage.requests.clear()", before: SERVER, after: STOP },
  {
    page: "docs/storage.md",
    has: 'storage.on("object:created"',
    before: `${SERVER} const index = (bucket: string, key?: string) => console.log(bucket, key);
import { DeleteObjectCommand } from "@aws-sdk/client-s3";
const later = setInterval(() => void client.send(new DeleteObjectCommand({ Bucket: "assets", Key: "a" })).then(() => upload()).then(() => upload("done")), 50);`,
    after: `clearInterval(later); console.log(key); await storage.settled(); setTimeout(() => process.exit(0), 200);`,
  },
  { page: "docs/store.md", has: 'createStore("my-app")', before: "const bytes = Buffer.alloc(10);" },
  {
    page: "docs/store.md",
    has: 'name: "mailer"',
    before: `${STORE} const send = async (event: object) => console.log(event);`,
    after: `await subscription.close(); ${CLOSE}`,
  },
  {
    page: "docs/store.md",
    has: "store.records.watch",
    before: `${STORE} const { signal } = new AbortController();`,
    after: CLOSE,
    notRun: "it goes on until it is aborted; the conformance suite watches",
  },
  {
    page: "docs/store.md",
    has: 'check("account/1", 3)',
    before: `${STORE} const [next, fact] = [{ balance: 1 }, { type: "paid" }]; for (let at = 0; at < 3; at += 1) await store.records.put("account/1", at);`,
    after: CLOSE,
  },
  {
    page: "docs/store.md",
    has: "new Map()",
    before: `import { createStore } from "holdfast";`,
    after: `await store.kv.set("a", 1); ${CLOSE}`,
  },
  {
    page: "docs/store.md",
    has: "testAdapter",
    before: `import type { PersistAdapter } from "holdfast"; declare function myAdapter(): PersistAdapter;`,
    notRun: "the adapter is the reader's; test-adapter.test.ts runs one",
  },
  {
    page: "docs/store.md",
    has: "PG_PASSWORD",
    before: `import { createStore } from "holdfast";`,
    notRun: "it needs a Postgres server; postgres.test.ts has one",
  },
  {
    page: "docs/store.md",
    has: "KeyvStore",
    before: STORE,
    after: `await keyv.set("a", 1); await storage.setItem("b", 2); ${CLOSE}`,
  },
];
