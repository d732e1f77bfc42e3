import type { Connection } from "../s3/connection.ts";
import { abortUpload, completeUpload, createUpload, type Part } from "../s3/uploads.ts";
import { sendBody } from "./send-body.ts";

const MIB = 2 ** 20;
/** What is larger goes in parts. */
const MAX_WHOLE_BYTES = 16 * MIB;
const PART_BYTES = 8 * MIB;
const MAX_PARTS = 10_000;

/** One file on its way to a key. What has arrived is kept over a failure, so that a retry sends the rest. */
export class Upload {
  #uploadId: string | undefined;
  readonly #parts: Part[] = [];

  constructor(
    readonly connection: Connection,
    readonly bucket: string,
    readonly key: string,
    readonly file: File,
  ) {}

  /** Sends what is missing. Throws S3Error, or AbortError. */
  async send(signal: AbortSignal, progress: (sentBytes: number) => void): Promise<void> {
    const { connection, bucket, key, file } = this;
    const headers = { "content-type": file.type || "application/octet-stream" };
    if (file.size <= MAX_WHOLE_BYTES) {
      await sendBody(connection, { bucket, key, headers, body: file, signal }, progress);
      return;
    }
    const partBytes = Math.max(PART_BYTES, Math.ceil(file.size / MAX_PARTS));
    this.#uploadId ??= await createUpload(connection, { bucket, key }, headers, signal);
    const uploadId = this.#uploadId;
    for (let index = this.#parts.length; index * partBytes < file.size; index += 1) {
      const first = index * partBytes;
      const body = file.slice(first, first + partBytes);
      const query = { partNumber: String(index + 1), uploadId };
      const etag = await sendBody(connection, { bucket, key, query, body, signal }, (sent) => progress(first + sent));
      this.#parts.push({ number: index + 1, etag });
    }
    await completeUpload(connection, { bucket, key, uploadId }, this.#parts, signal);
    this.#uploadId = undefined;
  }

  /** Throws away what the server has of it. */
  async discard(): Promise<void> {
    if (this.#uploadId === undefined) return;
    const { connection, bucket, key } = this;
    await abortUpload(connection, { bucket, key, uploadId: this.#uploadId });
    this.#uploadId = undefined;
    this.#parts.length = 0;
  }
}
