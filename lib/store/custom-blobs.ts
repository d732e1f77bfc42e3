import { createHash, randomUUID } from "node:crypto";
import { ClosedError, ConflictError, ValidationError } from "../errors.js";
import type { native } from "../native.js";
import { compareKeys, everything, Firsts, isWithin } from "./custom-scan.js";
import type { PersistAdapter } from "./options.js";
import type { RawBlob, RawBlobPage, Reading, Uploading } from "./port.js";

const INFOS = "blobs/";
const CHUNKS = "blob-chunks/";
/** Bytes of a stored chunk, before base64. */
const CHUNK_BYTES = 256 << 10;

/** A blob's entry: what is known of it, and where its chunks lie. */
interface StoredInfo extends RawBlob {
  body: string;
  chunks: number;
}

/** Blobs on a custom adapter: an entry, and its bytes in chunks of base64 under a name of their own. */
export class CustomBlobs {
  constructor(
    readonly adapter: PersistAdapter,
    readonly exclusively: <T>(work: () => Promise<T>) => Promise<T>,
  ) {}

  async head(key: string): Promise<RawBlob | undefined> {
    return publicInfo(await this.#info(key));
  }

  upload(key: string, options: native.BlobOptionsData): Uploading {
    const body = randomUUID();
    const digest = createHash("sha256");
    let pending: Buffer = Buffer.alloc(0);
    let chunks = 0;
    let size = 0;
    let isOver = false;
    const store = async (bytes: Buffer) => {
      await this.adapter.put(chunkKey(body, chunks), bytes.toString("base64"));
      chunks += 1;
    };
    const begin = () => {
      if (isOver) throw new ClosedError("the upload is finished or aborted", { code: "UPLOAD_OVER" });
    };
    return {
      write: async (bytes) => {
        begin();
        digest.update(bytes);
        size += bytes.byteLength;
        pending = Buffer.concat([pending, bytes]);
        while (pending.length >= CHUNK_BYTES) {
          await store(pending.subarray(0, CHUNK_BYTES));
          pending = pending.subarray(CHUNK_BYTES);
        }
        return undefined;
      },
      finish: async () => {
        begin();
        isOver = true;
        if (pending.length > 0) await store(pending);
        const info: StoredInfo = {
          key,
          size,
          etag: digest.digest("hex").slice(0, 32),
          metadata: options.metadata ?? {},
          updatedAt: Date.now(),
          body,
          chunks,
        };
        if (options.contentType !== undefined) info.contentType = options.contentType;
        try {
          await this.exclusively(() => this.#link(info, options));
        } catch (error) {
          await this.#dropChunks(body, chunks);
          throw error;
        }
        return JSON.stringify(publicInfo(info));
      },
      abort: async () => {
        isOver = true;
        await this.#dropChunks(body, chunks);
        return undefined;
      },
    };
  }

  async open(key: string, range: native.ByteRangeData | undefined): Promise<Reading | null> {
    const info = await this.#info(key);
    if (info === undefined) return null;
    const { start, end } = bytesOf(range, info.size);
    let at = start;
    return {
      info: () => JSON.stringify(publicInfo(info)),
      bytes: () => end - start,
      next: async () => {
        if (at >= end) return null;
        const number = Math.floor(at / CHUNK_BYTES);
        const text = await this.adapter.get(chunkKey(info.body, number));
        if (typeof text !== "string") throw changed(key, "was replaced or deleted while it was read");
        const chunk = Buffer.from(text, "base64");
        const part = chunk.subarray(at - number * CHUNK_BYTES, Math.min(chunk.length, end - number * CHUNK_BYTES));
        at += part.length;
        return part;
      },
      cancel: async () => {
        at = end;
        return undefined;
      },
    };
  }

  delete(keys: string[]): Promise<boolean[]> {
    return this.exclusively(async () => {
      const existed: boolean[] = [];
      for (const key of keys) {
        const info = await this.#info(key);
        existed.push(info !== undefined);
        if (info === undefined) continue;
        await this.adapter.delete(INFOS + key);
        await this.#dropChunks(info.body, info.chunks);
      }
      return existed;
    });
  }

  async list(query: native.ListQueryData): Promise<RawBlobPage> {
    const sign = query.reverse === true ? -1 : 1;
    const firsts = new Firsts<{ name: string; info?: StoredInfo }>(
      query.limit + 1,
      (one, other) => sign * compareKeys(one.name, other.name),
    );
    for await (const { key, value } of everything(this.adapter, INFOS)) {
      if (!isWithin(key, query)) continue;
      const name = folded(key, query);
      if (name === undefined) firsts.add({ name: key, info: value as StoredInfo });
      else if (name !== query.after && !firsts.items.some((item) => item.name === name)) firsts.add({ name });
    }
    const found = firsts.items.slice(0, query.limit);
    const page: RawBlobPage = { items: [], prefixes: [] };
    for (const { name, info } of found) {
      const known = publicInfo(info);
      if (known === undefined) page.prefixes.push(name);
      else page.items.push(known);
    }
    const last = found[found.length - 1];
    if (firsts.items.length > query.limit && last !== undefined) page.next = last.name;
    return page;
  }

  async copy(from: string, to: string): Promise<RawBlob | undefined> {
    const reading = await this.open(from, undefined);
    if (reading === null) return undefined;
    const source = JSON.parse(reading.info()) as RawBlob;
    const options: native.BlobOptionsData = { metadata: source.metadata };
    if (source.contentType !== undefined) options.contentType = source.contentType;
    const uploading = this.upload(to, options);
    for (let chunk = await reading.next(); chunk !== null; chunk = await reading.next()) {
      await uploading.write(chunk as Uint8Array);
    }
    return JSON.parse((await uploading.finish()) as string) as RawBlob;
  }

  async #info(key: string): Promise<StoredInfo | undefined> {
    return ((await this.adapter.get(INFOS + key)) as StoredInfo | null | undefined) ?? undefined;
  }

  async #link(info: StoredInfo, options: native.BlobOptionsData): Promise<void> {
    const current = await this.#info(info.key);
    if (options.ifNoneMatch === true && current !== undefined) throw changed(info.key, "is there already");
    if (options.ifMatch !== undefined && current?.etag !== options.ifMatch) {
      throw changed(info.key, "has another ETag than expected, or does not exist");
    }
    await this.adapter.put(INFOS + info.key, info);
    if (current !== undefined) await this.#dropChunks(current.body, current.chunks);
  }

  async #dropChunks(body: string, chunks: number): Promise<void> {
    for (let number = 0; number < chunks; number += 1) await this.adapter.delete(chunkKey(body, number));
  }
}

function chunkKey(body: string, number: number): string {
  return `${CHUNKS}${body}/${String(number).padStart(8, "0")}`;
}

function publicInfo(stored: StoredInfo | undefined): RawBlob | undefined {
  if (stored === undefined) return undefined;
  const { body: _, chunks: __, ...info } = stored;
  return info;
}

/** What a key folds into, if it does. */
function folded(key: string, query: native.ListQueryData): string | undefined {
  if (query.delimiter === undefined || query.delimiter === "") return undefined;
  const from = query.prefix?.length ?? 0;
  const at = key.indexOf(query.delimiter, from);
  return at < 0 ? undefined : key.slice(0, at + query.delimiter.length);
}

function bytesOf(range: native.ByteRangeData | undefined, size: number): { start: number; end: number } {
  if (range === undefined) return { start: 0, end: size };
  const { start, end } =
    range.last === undefined
      ? { start: range.start ?? 0, end: Math.min(size, (range.end ?? size) + 1) }
      : { start: Math.max(0, size - range.last), end: size };
  if (start < end) return { start, end };
  throw new ValidationError(`no byte of the ${size} lies in the range`, { code: "INVALID_RANGE", details: { size } });
}

function changed(key: string, why: string): ConflictError {
  const message = `blob ${JSON.stringify(key)} ${why}; look at it again and decide`;
  return new ConflictError(message, { code: "BLOB_CHANGED", details: { key } });
}
