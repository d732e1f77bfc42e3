import { S3Error } from "../s3/s3-error.ts";

/**
 * The line, counted from 1, that an error is about: the one that it names; else the first that holds the longest thing
 * it names, as a value in quotation marks or as an element.
 */
export function lineOf(text: string, error: unknown): number | undefined {
  if (!(error instanceof Error)) return undefined;
  const message = error.message;
  const said = /\bline (\d+)/i.exec(message)?.[1];
  if (said !== undefined) return Number(said);
  const position = /\bposition (\d+)/i.exec(message)?.[1];
  if (position !== undefined && !(error instanceof S3Error)) return text.slice(0, Number(position)).split("\n").length;
  const quoted = [...message.matchAll(/["'`“]([^"'`”]+)["'`”]/g)].map((match) => match[1] ?? "");
  const words = [...message.matchAll(/[A-Za-z0-9:*_.-]{3,}/g)].map((match) => match[0].replace(/[.:]+$/, ""));
  const lines = text.split("\n");
  const found = [quoted, words].map((names) =>
    names
      .sort((a, b) => b.length - a.length)
      .map((name) => lines.findIndex((line) => holds(line, name)))
      .find((line) => line >= 0),
  );
  const line = found[0] ?? found[1];
  return line === undefined ? undefined : line + 1;
}

/** Whether a line holds a word as a whole: a value, or the name of an element or a field. */
function holds(line: string, word: string): boolean {
  const at = line.toLowerCase().indexOf(word.toLowerCase());
  const isInWord = (char: string | undefined) => char !== undefined && /[A-Za-z0-9]/.test(char);
  return at >= 0 && !isInWord(line[at - 1]) && !isInWord(line[at + word.length]);
}
