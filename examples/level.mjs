// An ordered key-value database in a bucket: batch, ranges, sublevels, and a counter that loses no update.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SmartStorage } from "holdfast";
import { S3Level } from "holdfast/level";

const directory = mkdtempSync(join(tmpdir(), "level-example-"));
const storage = await SmartStorage.createAndStart({ server: { port: 0, silent: true }, storage: { directory } });
const { endpoint, port, accessKey, accessSecret } = await storage.getStorageDescriptor();

// Any S3 does: leave `endpoint` out for AWS, and the credentials come from AWS_ACCESS_KEY_ID and its kin.
const db = new S3Level("my-bucket/pokemon", {
  endpoint: `http://${endpoint}:${port}`,
  credentials: { accessKeyId: accessKey, secretAccessKey: accessSecret },
  // An object a key, for any number of writers. Without it a new database is a tree: one writer, few requests.
  layout: "objects",
});

await db.batch([
  { type: "put", key: "name", value: "Pikachu" },
  { type: "put", key: "dob", value: "February 27, 1996" },
  { type: "put", key: "occupation", value: "Pokemon" },
]);
for await (const [key, value] of db.iterator({ gt: "dob" })) console.log(`${key} = ${value}`);
console.log("the last key is", (await db.keys({ reverse: true, limit: 1 }).all())[0]);

const moves = db.sublevel("moves", { valueEncoding: "json" });
await moves.put("thunderbolt", { power: 90, accuracy: 100 });
console.log(await moves.get("thunderbolt"));

// Read with its ETag, write on the condition that nobody wrote meanwhile.
await db.put("wins", "0");
const { value, etag } = await db.getWithEtag("wins");
await db.put("wins", `${Number(value) + 1}`, { ifMatch: etag });
await db.put("wins", "1000", { ifMatch: etag }).catch(({ code }) => console.log("somebody was faster:", code));

console.log("requests:", db.stats());
await db.close();
await storage.stop();
rmSync(directory, { recursive: true });
