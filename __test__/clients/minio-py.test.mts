import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { python, runIn } from "./program.mts";
import { type ClientServer, startServer } from "./server.mts";
import { AWKWARD_KEYS } from "./tree.mts";

/** What minio-py can't say: segments that are dots alone, and a carriage return, which its XML turns into a newline. */
const refused = (key: string): boolean => /(^|\/)\.\.?(\/|$)|\r/.test(key);

/** Each job is a function of minio_jobs.py, which fails when anything is not as it should be. */
const JOBS: Readonly<Record<string, string>> = {
  buckets: "makes, finds and removes buckets",
  awkward_keys: "puts, lists, reads and removes keys that no file system holds",
  streams_of_unknown_length: "uploads a stream of unknown length in parts, and reads ranges of it",
  copies_and_composes: "copies, and composes an object of others",
  presigned: "presigns for reading and writing",
  tags_and_versions: "sets tags, lists and reads versions",
  errors: "is told what is not there",
};

describe("minio-py", () => {
  let server: ClientServer;

  before(async () => {
    server = await startServer(["minio-py"]);
  });
  after(() => server.stop());

  for (const [job, does] of Object.entries(JOBS)) {
    it(does, async () => {
      const folder = mkdtempSync(join(server.folder, "minio-"));
      const keys = AWKWARD_KEYS.filter((key) => !refused(key));
      const script = join(import.meta.dirname, "minio_jobs.py");
      await runIn(folder, python(), [script, job], { ...server.env, KEYS: JSON.stringify(keys) });
    });
  }
});
