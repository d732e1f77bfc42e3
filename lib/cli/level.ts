import { type Command, InvalidArgumentError, Option } from "commander";
import {
  batch,
  type CreateOptions,
  del,
  type EntryOptions,
  get,
  type ListOptions,
  list,
  put,
} from "./level-entries.js";
import { type CopyOptions, migrateLevel } from "./level-migrate.js";
import { LEVEL_PLACE_HELP } from "./level-place.js";
import { outputOf } from "./output.js";

const HELP = `${LEVEL_PLACE_HELP}
Keys and values are text, or what --encoding says. put, del and batch take a database of layout "lsm" over: a process
that has it open for writing writes no more until it opens it again.`;

const EXAMPLES = `${HELP}

Examples:
  npx holdfast level list s3://my-bucket/db --prefix user/ --values
  npx holdfast level get s3://my-bucket/db user/ada > ada.json
  npx holdfast level migrate s3://my-bucket/old s3://my-bucket/new --layout lsm`;

/** Adds `level get|put|del|list|batch|migrate`. */
export function addLevel(program: Command): void {
  const level = program
    .command("level")
    .description("read, write and move the Level databases of a bucket")
    .addHelpText("after", EXAMPLES);
  addReads(level);
  addWrites(level);
  addMigrate(level);
}

function addReads(level: Command): void {
  entryCommand(level, "get", "write the value of a key to the standard output, byte for byte")
    .argument("<database>", "the database: s3://<bucket>/<folder>")
    .argument("<key>", "the key")
    .addHelpText("after", `${HELP}\n\nExample:\n  npx holdfast level get s3://my-bucket/db name`)
    .action((database: string, key: string, options: EntryOptions) => get(database, key, options, outputOf(options)));
  entryCommand(level, "list", "list keys in their order, one a line")
    .argument("<database>", "the database: s3://<bucket>/<folder>")
    .option("--gt <key>", "only keys after this one")
    .option("--gte <key>", "only this key and those after it")
    .option("--lt <key>", "only keys before this one")
    .option("--lte <key>", "only this key and those before it")
    .addOption(new Option("--prefix <text>", "only keys that begin so").conflicts(["gt", "gte", "lt", "lte"]))
    .option("--reverse", "from the last to the first", false)
    .option("--limit <count>", "most keys", wholeNumber)
    .option("--values", "the value too, after a tab", false)
    .addHelpText(
      "after",
      `${HELP}\n\nExample:\n  npx holdfast level list s3://my-bucket/db --reverse --limit 10 --json`,
    )
    .action((database: string, options: ListOptions) => list(database, options, outputOf(options)));
}

function addWrites(level: Command): void {
  entryCommand(level, "put", "store a value; from the standard input where none is given")
    .argument("<database>", "the database: s3://<bucket>/<folder>")
    .argument("<key>", "the key")
    .argument("[value]", "the value")
    .option("--create", "make the database, and the bucket, where they are missing", false)
    .addHelpText("after", `${HELP}\n\nExample:\n  npx holdfast level put s3://my-bucket/db ada < ada.json`)
    .action((database: string, key: string, value: string | undefined, options: CreateOptions) =>
      put(database, key, value, options, outputOf(options)),
    );
  entryCommand(level, "del", "delete keys, all or none")
    .argument("<database>", "the database: s3://<bucket>/<folder>")
    .argument("<keys...>", "the keys; one that is not there is no error")
    .addHelpText("after", `${HELP}\n\nExample:\n  npx holdfast level del s3://my-bucket/db name dob`)
    .action((database: string, keys: string[], options: EntryOptions) =>
      del(database, keys, options, outputOf(options)),
    );
  entryCommand(level, "batch", "make many writes, all or none")
    .argument("<database>", "the database: s3://<bucket>/<folder>")
    .argument("[file]", "the writes, a JSON object a line; the standard input where none is given")
    .option("--create", "make the database, and the bucket, where they are missing", false)
    .addHelpText(
      "after",
      `${HELP}\n\nA line is {"type":"put","key":"a","value":"1"} or {"type":"del","key":"b"}. What list --values --json prints are puts.\n\nExample:\n  npx holdfast level batch s3://my-bucket/db writes.jsonl`,
    )
    .action((database: string, file: string | undefined, options: CreateOptions) =>
      batch(database, file, options, outputOf(options)),
    );
}

function addMigrate(level: Command): void {
  level
    .command("migrate")
    .description("copy a database into a new one of either layout; run it again to go on")
    .argument("<from>", "the database to copy; stays as it is")
    .argument("<to>", "an empty location at the same endpoint")
    .addOption(new Option("--layout <layout>", "of the copy").choices(["objects", "lsm"]).makeOptionMandatory())
    .addOption(new Option("--key-format <format>", "of keys in layout objects").choices(["utf8", "hex"]))
    .option("--json", "print the outcome as one JSON object, and no progress", false)
    .addHelpText(
      "after",
      `${LEVEL_PLACE_HELP}\n\nExample:\n  npx holdfast level migrate s3://my-bucket/old s3://my-bucket/new --layout lsm`,
    )
    .action((from: string, to: string, options: CopyOptions) => migrateLevel(from, to, options, outputOf(options)));
}

/** A command with the options of all that read and write entries. */
function entryCommand(level: Command, name: string, description: string): Command {
  const encoding = new Option("--encoding <name>", "how keys and values are written");
  return level
    .command(name)
    .description(description)
    .addOption(encoding.choices(["utf8", "hex", "base64"]).default("utf8"))
    .option("--json", "print JSON, one object a line", false);
}

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError("A count is a whole number.");
  return Number(text);
}
