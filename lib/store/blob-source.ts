import type { Readable } from "node:stream";
import { ValidationError } from "../errors.js";
import { checkKey, describe } from "./key.js";

/** What a blob can be put from. */
export type BlobSource =
  | Uint8Array
  | ArrayBuffer
  | string
  | Blob
  | ReadableStream<Uint8Array>
  | Readable
  | AsyncIterable<Uint8Array | string>
  | Iterable<Uint8Array>;

/** A source made ready: its chunks, and its size where that is known. */
export interface OpenedSource {
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
  size?: number;
  /** The media type that the source itself suggests. */
  contentType: string;
}

const BYTES = "application/octet-stream";
/** What crosses the border at once, at most. */
const LARGEST_CHUNK = 1 << 20;
/** Smaller chunks are gathered to this before they cross. */
const SMALLEST_CHUNK = 128 << 10;

/** Takes any source. */
export function openSource(data: BlobSource): OpenedSource {
  if (typeof data === "string") {
    checkKey(data, "text of a blob");
    const bytes = Buffer.from(data, "utf8");
    return { chunks: [bytes], size: bytes.length, contentType: "text/plain; charset=utf-8" };
  }
  if (data instanceof Uint8Array) return { chunks: [data], size: data.byteLength, contentType: BYTES };
  if (data instanceof ArrayBuffer) return { chunks: [new Uint8Array(data)], size: data.byteLength, contentType: BYTES };
  if (data instanceof Blob)
    return { chunks: streamed(data.stream()), size: data.size, contentType: data.type || BYTES };
  if (typeof data === "object" && data !== null) {
    if (data instanceof ReadableStream) return { chunks: streamed(data), contentType: BYTES };
    if (Symbol.asyncIterator in data || Symbol.iterator in data) return { chunks: checked(data), contentType: BYTES };
  }
  const kinds = "a Buffer, Uint8Array, ArrayBuffer, string, Blob, stream or async iterable";
  throw new ValidationError(`a blob is put from ${kinds}, not from ${describe(data)}`, { code: "INVALID_BLOB" });
}

/** Chunks of a size that is worth a crossing; holds at most one of them. */
export async function* rechunked(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  let gathered: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    if (bytes + chunk.byteLength < SMALLEST_CHUNK) {
      // A source may use its buffer again: what waits is a copy.
      gathered.push(Uint8Array.from(chunk));
      bytes += chunk.byteLength;
      continue;
    }
    if (bytes > 0) yield Buffer.concat(gathered);
    gathered = [];
    bytes = 0;
    for (let at = 0; at < chunk.byteLength; at += LARGEST_CHUNK) yield chunk.subarray(at, at + LARGEST_CHUNK);
  }
  if (bytes > 0) yield Buffer.concat(gathered);
}

async function* streamed(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = stream.getReader();
  let ended = false;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      ended = done;
      if (done) return;
      yield bytesOf(value);
    }
  } finally {
    if (!ended) await reader.cancel().catch(() => {});
    reader.releaseLock();
  }
}

async function* checked(
  parts: AsyncIterable<Uint8Array | string> | Iterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const part of parts) yield bytesOf(part);
}

function bytesOf(part: unknown): Uint8Array {
  if (part instanceof Uint8Array) return part;
  if (typeof part === "string") return Buffer.from(part, "utf8");
  throw new ValidationError(`a stream of a blob gives bytes, not ${describe(part)}`, { code: "INVALID_BLOB" });
}
