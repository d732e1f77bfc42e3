import { PersistError } from "../errors.js";

/** How the process ends. */
export const EXIT = {
  /** What was asked for is done. */
  done: 0,
  /** It failed; the error says why. */
  failed: 1,
  /** The command line can't be understood; nothing was begun. */
  usage: 2,
  /** The doctor found something wrong. */
  unwell: 3,
} as const;

/** The doctor found something wrong, and has said what. */
export class UnwellError extends Error {}

/** Where a command writes: results to the standard output, everything else to the standard error stream. */
export interface Output {
  /** Whether results are one JSON object a line. */
  readonly json: boolean;
  /** Writes a result: as JSON, or as `text`. */
  result(value: object, text: string): void;
  /** Writes a line for people; silent with `--json`. */
  note(line: string): void;
  /** Writes an error: for people a sentence, with `--json` an object with its `code`. */
  failure(error: unknown): void;
}

/** An output over the process's own streams. */
export function outputOf({ json }: { json: boolean }): Output {
  return {
    json,
    result: (value, text) => {
      process.stdout.write(`${json ? JSON.stringify(value) : text}\n`);
    },
    note: (line) => {
      if (!json) process.stderr.write(`${line}\n`);
    },
    failure: (error) => {
      const { code, message } = described(error);
      process.stderr.write(
        `${json ? JSON.stringify({ error: { code, message } }) : `holdfast: ${message} [${code}]`}\n`,
      );
    },
  };
}

function described(error: unknown): { code: string; message: string } {
  if (error instanceof PersistError) return { code: error.code, message: error.message };
  return { code: "INTERNAL", message: error instanceof Error ? error.message : String(error) };
}
