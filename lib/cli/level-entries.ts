import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { ConfigError, NotFoundError } from "../errors.js";
import type { S3Level } from "../level/index.js";
import { levelAt } from "./level-place.js";
import { loadLevel } from "./load-level.js";
import type { Output } from "./output.js";

/** Options of the commands that read and write entries. */
export interface EntryOptions {
  /** How bytes are written as text. */
  encoding: "utf8" | "hex" | "base64";
  json: boolean;
}

/** Options of `list`. */
export interface ListOptions extends EntryOptions {
  gt?: string;
  gte?: string;
  lt?: string;
  lte?: string;
  prefix?: string;
  reverse: boolean;
  limit?: number;
  values: boolean;
}

/** Options of the commands that may make a database. */
export interface CreateOptions extends EntryOptions {
  /** Whether to. */
  create: boolean;
}

type Bytes = S3Level<Buffer, Buffer>;
type Write = { type: "put"; key: Buffer; value: Buffer } | { type: "del"; key: Buffer };

/** Writes the value of a key to the standard output. */
export async function get(database: string, key: string, options: EntryOptions, output: Output): Promise<void> {
  const { encoding } = options;
  const bytes = bytesOf(key, encoding, "the key");
  await withDatabase(database, { readOnly: true }, async (db) => {
    const value = await db.get(bytes);
    if (value === undefined) throw new NotFoundError(`the database has no key ${key}`, { code: "LEVEL_NOT_FOUND" });
    if (output.json) return output.result({ key, value: value.toString(encoding) }, "");
    const text = encoding === "utf8" ? value : `${value.toString(encoding)}\n`;
    await pipeline(Readable.from([text]), process.stdout, { end: false });
  });
}

/** Lists the keys of a range. */
export async function list(database: string, options: ListOptions, output: Output): Promise<void> {
  const { encoding, reverse, limit = -1, values } = options;
  const range = { ...rangeOf(options), reverse, limit, values };
  await withDatabase(database, { readOnly: true }, async (db) => {
    const lines = async function* () {
      for await (const [key, value] of db.iterator(range)) {
        const shown = key.toString(encoding);
        const entry = values ? { key: shown, value: value.toString(encoding) } : { key: shown };
        yield `${output.json ? JSON.stringify(entry) : Object.values(entry).join("\t")}\n`;
      }
    };
    await pipeline(Readable.from(lines()), process.stdout, { end: false }).catch((error: NodeJS.ErrnoException) => {
      // Whoever read has read enough.
      if (error.code !== "EPIPE") throw error;
    });
  });
}

/** Stores a value. */
export async function put(
  database: string,
  key: string,
  text: string | undefined,
  { encoding, create }: CreateOptions,
  output: Output,
): Promise<void> {
  const bytes = bytesOf(key, encoding, "the key");
  const value = text === undefined ? await buffer(process.stdin) : bytesOf(text, encoding, "the value");
  await withDatabase(database, { createIfMissing: create }, (db) => db.put(bytes, value));
  output.result({ key, bytes: value.length }, `${key}: ${value.length} bytes stored`);
}

/** Deletes keys. */
export async function del(
  database: string,
  keys: readonly string[],
  { encoding }: EntryOptions,
  output: Output,
): Promise<void> {
  const writes = keys.map((key): Write => ({ type: "del", key: bytesOf(key, encoding, "the key") }));
  await withDatabase(database, {}, (db) => db.batch(writes));
  output.result({ deleted: keys }, `${keys.length} deleted`);
}

/** Makes the writes of a file. */
export async function batch(
  database: string,
  file: string | undefined,
  { encoding, create }: CreateOptions,
  output: Output,
): Promise<void> {
  const writes: Write[] = [];
  const input = file === undefined ? process.stdin : createReadStream(file);
  let line = 0;
  for await (const text of createInterface({ input })) {
    line++;
    if (text.trim() !== "") writes.push(writeOf(text, encoding, line));
  }
  await withDatabase(database, { createIfMissing: create }, (db) => db.batch(writes));
  output.result({ writes: writes.length }, `${writes.length} writes made`);
}

/** Opens a database, works with it and closes it. It is made only where that is asked for. */
async function withDatabase(
  database: string,
  options: { readOnly?: boolean; createIfMissing?: boolean },
  work: (db: Bytes) => Promise<void>,
): Promise<void> {
  const { location, s3 } = levelAt(database);
  const { S3Level } = await loadLevel();
  const encodings = { keyEncoding: "buffer", valueEncoding: "buffer" };
  const db = new S3Level<Buffer, Buffer>(location, { s3, createIfMissing: false, ...encodings, ...options });
  await db.open().catch((error: Error) => {
    // Level says that it did not open; the cause says why.
    throw error.cause ?? error;
  });
  try {
    await work(db);
  } finally {
    await db.close();
  }
}

function rangeOf({ gt, gte, lt, lte, prefix, encoding }: ListOptions): object {
  if (prefix !== undefined) return prefixRange(bytesOf(prefix, encoding, "--prefix"));
  const bounds = Object.entries({ gt, gte, lt, lte }).filter(
    (bound): bound is [string, string] => bound[1] !== undefined,
  );
  return Object.fromEntries(bounds.map(([name, text]) => [name, bytesOf(text, encoding, `--${name}`)]));
}

/** The keys that begin with some bytes. */
function prefixRange(prefix: Buffer): { gte: Buffer; lt?: Buffer } {
  const last = prefix.findLastIndex((byte) => byte < 0xff);
  if (last < 0) return { gte: prefix };
  const end = Buffer.from(prefix.subarray(0, last + 1));
  end[last] = (end[last] as number) + 1;
  return { gte: prefix, lt: end };
}

function writeOf(text: string, encoding: EntryOptions["encoding"], line: number): Write {
  const refuse = () => invalid(`line ${line} is no write; a write is {"type":"put","key":"a","value":"1"}`);
  let write: unknown;
  try {
    write = JSON.parse(text);
  } catch {
    throw refuse();
  }
  const { type = "put", key, value } = (write ?? {}) as { type?: unknown; key?: unknown; value?: unknown };
  if (typeof key !== "string") throw refuse();
  const bytes = bytesOf(key, encoding, `the key of line ${line}`);
  if (type === "del" && value === undefined) return { type, key: bytes };
  if (type !== "put" || typeof value !== "string") throw refuse();
  return { type, key: bytes, value: bytesOf(value, encoding, `the value of line ${line}`) };
}

/** The bytes that a text stands for; Node ignores what it can't decode. */
function bytesOf(text: string, encoding: EntryOptions["encoding"], what: string): Buffer {
  const bytes = Buffer.from(text, encoding);
  const same = bytes.toString(encoding).replace(/=+$/, "").toLowerCase() === text.replace(/=+$/, "").toLowerCase();
  if (encoding !== "utf8" && !same) throw invalid(`${what} is not ${encoding}`);
  return bytes;
}

function invalid(message: string): ConfigError {
  return new ConfigError(message, { code: "INVALID_SETTINGS" });
}
