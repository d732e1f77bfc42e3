import { ValidationError } from "../errors.js";
import type { BlobInfo } from "./blobs.js";
import { type Reading, settled } from "./port.js";

/** A blob that is open for reading. Its bytes can be read once. */
export class StoredBlob implements BlobInfo {
  readonly key: string;
  readonly size: number;
  readonly etag: string;
  readonly contentType: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly updatedAt: Date;
  readonly #handle: Reading;
  #isTaken = false;

  /** @internal */
  constructor(info: BlobInfo, handle: Reading) {
    this.key = info.key;
    this.size = info.size;
    this.etag = info.etag;
    this.contentType = info.contentType;
    this.metadata = info.metadata;
    this.updatedAt = info.updatedAt;
    this.#handle = handle;
  }

  /** All bytes (of the range, where one was asked for) in memory. */
  async bytes(): Promise<Uint8Array> {
    const handle = this.#take();
    const all = new Uint8Array(handle.bytes());
    let at = 0;
    for (let chunk = await settled(handle.next()); chunk !== null; chunk = await settled(handle.next())) {
      all.set(chunk, at);
      at += chunk.byteLength;
    }
    return all;
  }

  /** The bytes as UTF-8 text. */
  async text(): Promise<string> {
    const bytes = await this.bytes();
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
  }

  /** The bytes as parsed JSON. */
  async json<T = unknown>(): Promise<T> {
    return JSON.parse(await this.text()) as T;
  }

  /** The bytes as a web stream, which asks for a chunk when one is wanted. */
  stream(): ReadableStream<Uint8Array> {
    const handle = this.#take();
    return new ReadableStream<Uint8Array>(
      {
        async pull(controller) {
          const chunk = await settled(handle.next());
          if (chunk === null) controller.close();
          else controller.enqueue(chunk);
        },
        async cancel() {
          await settled(handle.cancel());
        },
      },
      { highWaterMark: 0 },
    );
  }

  /** Lets go of the blob without reading it. */
  async cancel(): Promise<void> {
    this.#isTaken = true;
    await settled(this.#handle.cancel());
  }

  #take(): Reading {
    if (this.#isTaken) {
      throw new ValidationError("the blob was read already; get it again to read it again", { code: "BLOB_TAKEN" });
    }
    this.#isTaken = true;
    return this.#handle;
  }
}
