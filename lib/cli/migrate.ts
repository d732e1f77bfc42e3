import type { Command } from "commander";
import { ConfigError } from "../errors.js";
import { createStore, migrate, type StoreOptions } from "../store/index.js";
import { type Output, outputOf } from "./output.js";
import { showProgress } from "./progress.js";
import { type S3Address, s3Address } from "./s3-address.js";

const EXAMPLES = `
A store is one of
  sqlite:./data/app.db                         a file; the source must exist
  postgres://user:password@host/database       the schema "persist", or ?schema=name
  s3://bucket/prefix?region=eu-central-1       with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY;
                                               ?endpoint=https://… for R2, MinIO and others

Examples:
  npx holdfast migrate sqlite:./data/app.db "$DATABASE_URL" --verify
  npx holdfast migrate sqlite:./data/app.db "s3://my-bucket/app/?region=eu-central-1"`;

interface MigrateCommandOptions {
  verify: boolean;
  json: boolean;
}

/** Adds `migrate <from> <to>`. */
export function addMigrate(program: Command): void {
  program
    .command("migrate")
    .description("copy a store to another place; run it again to go on, or to bring what is new")
    .argument("<from>", "the store to copy")
    .argument("<to>", "where to; what is there already stays")
    .option("--verify", "read everything back and compare", false)
    .option("--json", "print the report as one JSON object, and no progress", false)
    .addHelpText("after", EXAMPLES)
    .action((from: string, to: string, options: MigrateCommandOptions) => run(from, to, options, outputOf(options)));
}

async function run(from: string, to: string, { verify }: MigrateCommandOptions, output: Output): Promise<void> {
  const settings = [storeAt(from), storeAt(to)] as const;
  await using source = await createStore("source", settings[0]);
  await using destination = await createStore("destination", settings[1]);
  const shown = await showProgress(output);
  try {
    const report = await migrate(source, destination, { verify, onProgress: shown.show });
    shown.end();
    const lines = (["records", "kv", "events", "blobs", "subscriptions"] as const).map(
      (name) => `${name}: ${report[name].copied} copied, ${report[name].kept} there already`,
    );
    output.result(report, [...lines, ...(verify ? ["verified: everything is equal"] : [])].join("\n"));
  } finally {
    shown.end();
  }
}

/** The store that a text of the command line names. */
function storeAt(text: string): StoreOptions {
  if (text.startsWith("sqlite:")) return { adapter: "sqlite", path: text.slice("sqlite:".length) };
  if (/^postgres(ql)?:/.test(text)) return postgresAt(text);
  const address = s3Address(text);
  if (address !== undefined) return s3At(address);
  // Not the text itself: it may hold a password.
  throw new ConfigError("a store is sqlite:<path>, postgres://… or s3://<bucket>/<prefix>; see --help", {
    code: "INVALID_SETTINGS",
  });
}

function postgresAt(text: string): StoreOptions {
  const [place = "", query = ""] = text.split(/\?(.*)/s);
  const pairs = query.split("&").filter((pair) => pair !== "");
  const schema = pairs.find((pair) => pair.startsWith("schema="))?.slice("schema=".length);
  const rest = pairs.filter((pair) => !pair.startsWith("schema="));
  const connectionString = rest.length === 0 ? place : `${place}?${rest.join("&")}`;
  return {
    adapter: "postgres",
    connectionString,
    ...(schema === undefined ? {} : { schema: decodeURIComponent(schema) }),
  };
}

function s3At({ bucket, path, ...where }: S3Address): StoreOptions {
  const options: StoreOptions = { adapter: "s3", bucket, ...where };
  if (path !== "") options.prefix = path.endsWith("/") ? path : `${path}/`;
  return options;
}
