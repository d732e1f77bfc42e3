import { AbortedError, NotFoundError, ValidationError } from "../errors.js";
import type { native } from "../native.js";
import { type BlobSource, openSource, rechunked } from "./blob-source.js";
import { checkKeys, checkPrefix, type ListOptions, pageOf, queryOf } from "./entries.js";
import { checkKey, checkOptions, checkWhole } from "./key.js";
import type { Emission } from "./lifecycle.js";
import { ListQuery, type Page } from "./list-query.js";
import { type RawBlob, type Reading, settled, type Uploading } from "./port.js";
import { StoredBlob } from "./stored-blob.js";
import type { Writer } from "./writer.js";

/** What is known of a blob without reading it. */
export interface BlobInfo {
  /** Its key. */
  key: string;
  /** Its size in bytes. */
  size: number;
  /** Changes with the content. */
  etag: string;
  /** Its media type. */
  contentType: string;
  /** Your own pairs. Lists leave them out on S3. */
  metadata: Readonly<Record<string, string>>;
  /** When it was put. */
  updatedAt: Date;
}

/** What a put says beside the bytes. */
export interface BlobPutOptions {
  /** The media type. Default: what the source suggests. */
  contentType?: string;
  /** Your own pairs: names of lower-case letters, digits and `-`, values of printable ASCII, 2 KB together. */
  metadata?: Readonly<Record<string, string>>;
  /** Only when there is no such blob. Otherwise a ConflictError `BLOB_CHANGED`. */
  ifNoneMatch?: "*" | true;
  /** Only over the blob with this ETag. Otherwise a ConflictError `BLOB_CHANGED`. */
  ifMatch?: string;
  /** Hears how many bytes were taken, and of how many where that is known. */
  onProgress?: (progress: { loaded: number; total?: number }) => void;
  /** Ends the upload with an AbortedError; nothing is left of it. */
  signal?: AbortSignal;
}

/** A range of bytes: `start` to `end` (both included), or the `last` bytes. */
export type ByteRange = { start: number; end?: number } | { last: number };

/** Which blobs to list. */
export interface BlobListOptions extends Omit<ListOptions, "keysOnly"> {
  /** Folds what follows it, behind the prefix, into `prefixes` of the page: `"/"` lists a folder. */
  delimiter?: string;
}

/** A page of blobs. */
export interface BlobPage extends Page<BlobInfo> {
  /** What the delimiter folded. */
  prefixes: string[];
}

/** Files, images, backups: bytes of any size, streamed. */
export class Blobs {
  readonly #writer: Writer;

  /** @internal */
  constructor(writer: Writer) {
    this.#writer = writer;
  }

  /**
   * Puts a blob, whole or not at all. Memory stays bounded whatever its size.
   * @throws ConflictError `BLOB_CHANGED`, AbortedError `ABORTED`, ValidationError; an error of the source as it is
   */
  async put(key: string, data: BlobSource, options: BlobPutOptions = {}): Promise<BlobInfo> {
    checkKey(key);
    checkOptions(options, ["contentType", "metadata", "ifNoneMatch", "ifMatch", "onProgress", "signal"]);
    throwIfAborted(options.signal);
    const source = openSource(data);
    const total = source.size === undefined ? {} : { total: source.size };
    const upload = await this.#writer.port.openUpload(key, nativeOptions(options, source.contentType, source.size));
    try {
      let loaded = 0;
      for await (const chunk of rechunked(source.chunks)) {
        throwIfAborted(options.signal);
        await settled(upload.write(chunk));
        loaded += chunk.byteLength;
        options.onProgress?.({ loaded, ...total });
        this.#writer.lifecycle.emit(["blob:upload:progress", { key, loaded, ...total }]);
      }
      throwIfAborted(options.signal);
    } catch (error) {
      await abandon(upload);
      throw error;
    }
    const info = infoOf(JSON.parse(await settled(upload.finish())) as RawBlob);
    this.#writer.lifecycle.emit(["blob:put", { key, size: info.size }]);
    return info;
  }

  /**
   * Opens a blob. Read it once by `bytes()`, `text()`, `json()` or `stream()`, or let go of it by `cancel()`.
   * @throws NotFoundError `BLOB_NOT_FOUND`; ValidationError `INVALID_RANGE` when no byte lies in the range
   */
  async get(key: string, options: { range?: ByteRange } = {}): Promise<StoredBlob> {
    checkKey(key);
    checkOptions(options, ["range"]);
    const handle = await this.#writer.port.openBlob(key, options.range && rangeOf(options.range));
    if (handle === null) {
      const message = `there is no blob ${JSON.stringify(key)}; use head() where that is expected`;
      throw new NotFoundError(message, { code: "BLOB_NOT_FOUND", details: { key } });
    }
    return storedBlob(handle);
  }

  /** What is known of a blob, or `undefined`. */
  async head(key: string): Promise<BlobInfo | undefined> {
    checkKey(key);
    const raw = await this.#writer.port.head(key);
    return raw === undefined ? undefined : infoOf(raw);
  }

  /** Whether the blob exists. */
  async has(key: string): Promise<boolean> {
    return (await this.head(key)) !== undefined;
  }

  /** Deletes a blob. Gives back whether it was there. */
  async delete(key: string): Promise<boolean> {
    return (await this.#delete(checkKeys([key]))) === 1;
  }

  /** Deletes keys, or all under a prefix. Gives back how many there were. */
  async deleteMany(target: readonly string[] | { prefix: string }): Promise<number> {
    if (Array.isArray(target)) return this.#delete(checkKeys(target));
    let deleted = 0;
    for await (const { items } of this.list(checkPrefix(target)).pages()) {
      deleted += await this.#delete(items.map((info) => info.key));
    }
    return deleted;
  }

  /** Blobs in the order of their keys. With a `delimiter`, `page()` also gives the folded `prefixes`. */
  list(options: BlobListOptions = {}): ListQuery<BlobInfo, BlobPage> {
    const { delimiter, ...rest } = options;
    const fetch = async (cursor: string | undefined, limit: number): Promise<BlobPage> => {
      const query: native.ListQueryData = queryOf(rest, cursor, limit);
      if (delimiter !== undefined) {
        checkKey(delimiter, "delimiter");
        query.delimiter = delimiter;
      }
      const found = await this.#writer.port.listBlobs(query);
      return { ...pageOf(found, infoOf), prefixes: found.prefixes };
    };
    return new ListQuery(fetch, { limit: options.limit, cursor: options.cursor });
  }

  /**
   * Copies a blob, with its media type and metadata.
   * @throws NotFoundError `BLOB_NOT_FOUND`
   */
  async copy(from: string, to: string): Promise<BlobInfo> {
    checkKey(from);
    checkKey(to);
    const raw = await this.#writer.port.copyBlob(from, to);
    if (raw === undefined) {
      const message = `there is no blob ${JSON.stringify(from)} to copy`;
      throw new NotFoundError(message, { code: "BLOB_NOT_FOUND", details: { key: from } });
    }
    const info = infoOf(raw);
    this.#writer.lifecycle.emit(["blob:put", { key: to, size: info.size }]);
    return info;
  }

  /**
   * A URL that lets anybody `GET` (default) or `PUT` the blob for `expiresIn` seconds (default 3600, at most
   * 7 days).
   * @throws CapabilityError `NOT_SUPPORTED` where `capabilities.presign` is false
   */
  async presign(key: string, options: { expiresIn?: number; method?: "GET" | "PUT" } = {}): Promise<string> {
    checkKey(key);
    checkOptions(options, ["expiresIn", "method"]);
    const { expiresIn = 3600, method = "GET" } = options;
    if (method !== "GET" && method !== "PUT") {
      throw new ValidationError('method is "GET" or "PUT"', { code: "INVALID_OPTION" });
    }
    return this.#writer.port.presign(key, method, checkWhole(expiresIn, "expiresIn", 1));
  }

  async #delete(keys: string[]): Promise<number> {
    if (keys.length === 0) return 0;
    const existed = await this.#writer.port.deleteBlobs(keys);
    const gone = keys.filter((_, at) => existed[at] === true);
    for (const key of gone) this.#writer.lifecycle.emit(["blob:delete", { key }] satisfies Emission);
    return gone.length;
  }
}

/** @internal */
export function infoOf(raw: RawBlob): BlobInfo {
  const { key, size, etag, metadata } = raw;
  const contentType = raw.contentType ?? "application/octet-stream";
  return { key, size, etag, contentType, metadata, updatedAt: new Date(raw.updatedAt) };
}

function storedBlob(handle: Reading): StoredBlob {
  return new StoredBlob(infoOf(JSON.parse(handle.info()) as RawBlob), handle);
}

function nativeOptions(options: BlobPutOptions, suggested: string, size: number | undefined): native.BlobOptionsData {
  const native: native.BlobOptionsData = { contentType: options.contentType ?? suggested };
  if (options.metadata !== undefined) native.metadata = { ...options.metadata };
  if (options.ifNoneMatch !== undefined) native.ifNoneMatch = true;
  if (options.ifMatch !== undefined) native.ifMatch = options.ifMatch;
  if (size !== undefined) native.size = size;
  return native;
}

function rangeOf(range: ByteRange): native.ByteRangeData {
  if ("last" in range) return { last: checkWhole(range.last, "range.last", 1) };
  const start = checkWhole(range.start, "range.start", 0);
  return range.end === undefined ? { start } : { start, end: checkWhole(range.end, "range.end", start) };
}

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted !== true) return;
  throw new AbortedError("the upload was aborted; nothing of it was stored", { code: "ABORTED", cause: signal.reason });
}

/** Throws an upload away; the error that made it so is the one to tell. */
async function abandon(upload: Uploading): Promise<void> {
  await settled(upload.abort()).catch(() => {});
}
