import { existsSync, statSync } from "node:fs";
import { resolve } from "node:path";
import type { Command } from "commander";
import { examineBucket } from "../doctor/bucket.js";
import { examineDatabaseFile } from "../doctor/database-file.js";
import type { Finding } from "../doctor/finding.js";
import { examineStorageFolder } from "../doctor/storage-folder.js";
import { ConfigError } from "../errors.js";
import { outputOf, UnwellError } from "./output.js";
import { s3Address } from "./s3-address.js";

const EXAMPLES = `
It looks and changes nothing, but for one object in a bucket, which it removes again.

  a folder                     of a SmartStorage server, also while it runs
  a file                       of createStore or createS3DataProvider, or any other SQLite file
  s3://<bucket>/<prefix>       with ?region=… and ?endpoint=… for R2, MinIO and others, else AWS_REGION and
                               AWS_ENDPOINT_URL; keys from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY

Examples:
  npx holdfast doctor ./holdfast-data
  npx holdfast doctor ./data/app.db
  npx holdfast doctor "s3://my-bucket?endpoint=http://127.0.0.1:9000"`;

/** Adds `doctor <what>`. */
export function addDoctor(program: Command): void {
  program
    .command("doctor")
    .description("look at a folder, a store's file or a bucket, and say what is wrong and what to do")
    .argument("<what>", "a folder, a file, or s3://<bucket>/<prefix>")
    .option("--json", "print the findings as one JSON object", false)
    .addHelpText("after", EXAMPLES)
    .action(async (what: string, options: { json: boolean }) => {
      const findings = await examine(what);
      const healthy = findings.every(({ ok }) => ok);
      outputOf(options).result({ healthy, findings }, findings.map(line).join("\n"));
      if (!healthy) throw new UnwellError();
    });
}

async function examine(what: string): Promise<Finding[]> {
  if (what.startsWith("s3:")) return examineBucket(bucketAt(what));
  const path = resolve(what);
  if (!existsSync(path)) {
    throw new ConfigError(`${path} does not exist; give a folder, a file, or s3://<bucket>`, { code: "NOTHING_THERE" });
  }
  if (statSync(path).isFile()) return examineDatabaseFile(path);
  return examineStorageFolder(path);
}

function bucketAt(text: string): Parameters<typeof examineBucket>[0] {
  const address = s3Address(text);
  if (address === undefined) {
    throw new ConfigError("a bucket is s3://<bucket> or s3://<bucket>/<prefix>", { code: "INVALID_SETTINGS" });
  }
  const { bucket, path } = address;
  const region = address.region ?? process.env.AWS_REGION;
  const endpoint = address.endpoint ?? process.env.AWS_ENDPOINT_URL;
  return {
    bucket,
    prefix: path === "" || path.endsWith("/") ? path : `${path}/`,
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint }),
  };
}

function line({ check, ok, message, advice, code }: Finding): string {
  const first = `${ok ? "ok   " : "WRONG"} ${check}: ${message}${code === undefined ? "" : ` [${code}]`}`;
  return advice === undefined ? first : `${first}\n      What to do: ${advice}.`;
}
