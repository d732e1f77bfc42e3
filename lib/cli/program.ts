import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Command, CommanderError } from "commander";
import { ConfigError } from "../errors.js";
import { addDoctor } from "./doctor.js";
import { addLevel } from "./level.js";
import { addMigrate } from "./migrate.js";
import { EXIT, outputOf, UnwellError } from "./output.js";
import { addReplicas } from "./replicas.js";
import { addRestore } from "./restore.js";
import { addServe } from "./serve.js";

const AFTER_HELP = `
Exit codes: ${EXIT.done} done, ${EXIT.failed} failed, ${EXIT.usage} the command line can't be understood,
${EXIT.unwell} the doctor found something wrong.`;

/**
 * Runs a command line (without `node` and the script) and gives its exit code; never throws.
 *
 * @param args For example `["serve", "--port", "9000"]`.
 */
export async function runProgram(args: readonly string[]): Promise<number> {
  const program = new Command("holdfast")
    .description("Storage for Node.js: an S3 server, and tools for what holdfast has stored.")
    .version(version(), "-v, --version", "print the version and end")
    .helpOption("-h, --help", "print this help and end")
    .addHelpText("after", AFTER_HELP)
    .exitOverride()
    .showSuggestionAfterError()
    .showHelpAfterError("(--help tells what there is)");
  addServe(program);
  addDoctor(program);
  addMigrate(program);
  addRestore(program);
  addReplicas(program);
  addLevel(program);
  try {
    await program.parseAsync(args, { from: "user" });
    return EXIT.done;
  } catch (error) {
    // What Commander refuses it has printed itself.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    if (error instanceof UnwellError) return EXIT.unwell;
    outputOf({ json: args.includes("--json") }).failure(error);
    return error instanceof ConfigError ? EXIT.usage : EXIT.failed;
  }
}

/** The package's version; this file stands in `dist/lib/cli`. */
function version(): string {
  const file = join(__dirname, "..", "..", "..", "package.json");
  const { version } = JSON.parse(readFileSync(file, "utf8")) as { version: string };
  return version;
}
