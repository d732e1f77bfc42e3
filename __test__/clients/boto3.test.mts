import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { python, runIn } from "./program.mts";
import { type ClientServer, startServer } from "./server.mts";
import { AWKWARD_KEYS } from "./tree.mts";

/** Each job is a function of boto3_jobs.py, which fails when anything is not as it should be. */
const JOBS: Readonly<Record<string, string>> = {
  awkward_keys: "puts, lists, copies, reads and deletes keys that no file system holds",
  transfers: "uploads, downloads and copies in parts",
  checksums: "sends each checksum and is told it; a wrong one stores nothing",
  multipart_with_checksums: "completes an upload with a checksum for each part",
  presigned: "presigns for reading and writing, by default with version 2",
  version_two_in_the_header: "signs its requests with version 2",
  conditions: "writes on a condition; of eight that race one wins",
  versions: "lists, reads and deletes versions",
  metadata: "keeps metadata and content headers",
};

describe("boto3", () => {
  let server: ClientServer;

  before(async () => {
    server = await startServer(["boto3"]);
  });
  after(() => server.stop());

  for (const [job, does] of Object.entries(JOBS)) {
    it(does, async () => {
      const folder = mkdtempSync(join(server.folder, "boto3-"));
      const script = join(import.meta.dirname, "boto3_jobs.py");
      await runIn(folder, python(), [script, job], { ...server.env, KEYS: JSON.stringify(AWKWARD_KEYS) });
    });
  }
});
