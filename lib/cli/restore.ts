import { type Command, InvalidArgumentError, Option } from "commander";
import { type RestoreOptions, restore } from "../remult/index.js";
import { type Output, outputOf } from "./output.js";
import { PLACE_HELP, replicaAt } from "./replica-place.js";
import { restoreProgress } from "./restore-progress.js";

const EXAMPLES = `${PLACE_HELP}

Examples:
  npx holdfast restore s3://bucket/tasks tasks.sqlite
  npx holdfast restore s3://bucket/tasks yesterday.sqlite --at 2026-01-31T18:00:00Z`;

interface RestoreCommandOptions {
  at?: Date;
  position?: number;
  json: boolean;
}

/** Adds `restore <database> <file>`. */
export function addRestore(program: Command): void {
  program
    .command("restore")
    .description("restore a replicated database into a new file; changes nothing in the bucket")
    .argument("<database>", "the database: s3://<bucket>/<name>")
    .argument("<file>", "the new file; must not exist")
    .option("--at <time>", "as it was then: a time such as 2026-01-31T18:00:00Z", timeOf)
    .addOption(new Option("--position <number>", "as of that segment").argParser(positionOf).conflicts("at"))
    .option("--json", "print what was restored as one JSON object", false)
    .addHelpText("after", EXAMPLES)
    .action((database: string, file: string, options: RestoreCommandOptions) =>
      run(database, file, options, outputOf(options)),
    );
}

function timeOf(text: string): Date {
  const time = new Date(text);
  if (Number.isNaN(time.getTime())) throw new InvalidArgumentError("A time is written 2026-01-31T18:00:00Z.");
  return time;
}

function positionOf(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError("A position is a whole number from 0.");
  return Number(text);
}

async function run(database: string, file: string, of: RestoreCommandOptions, output: Output): Promise<void> {
  const to = of.at ?? of.position;
  const options: RestoreOptions = { file, s3: replicaAt(database), ...(to === undefined ? {} : { to }) };
  output.note(`restoring ${options.s3.databaseName} into ${file}`);
  const shown = await restoreProgress(options, output);
  const restored = await restore(options).finally(shown.end);
  const { position, time, segments, size } = restored;
  const what = `${size} bytes, as of position ${position}, committed at ${time.toISOString()}`;
  output.result(restored, `${file}: ${what} (a snapshot and ${segments} segments)`);
}
