import type { native } from "../native.js";

/** One request that a server answered. */
export interface IStorageRequest {
  /** The name of the operation, for example `PutObject`; `Unknown` when the request named none of this server. */
  readonly operation: string;
  /** The bucket, where one was named. */
  readonly bucket?: string;
  /** The key, where one was named. */
  readonly key?: string;
  /** The HTTP status; 0 when a fault cut the connection. */
  readonly status: number;
  /** The declared length of the request's body, in bytes. */
  readonly bytesIn: number;
  /** The length of the answer's body, in bytes. */
  readonly bytesOut: number;
  /** When it came, in milliseconds since 1970-01-01 UTC. */
  readonly atMs: number;
  /** Until the answer began, in milliseconds. */
  readonly durationMs: number;
}

/**
 * The last 10,000 requests of a server as they were when this was read, oldest first: an array, and `clear()`.
 * A request is in it before its answer is sent.
 */
export class RequestLog extends Array<IStorageRequest> {
  readonly #server: native.StorageServer | undefined;

  /** `filter` and its like give plain arrays. */
  static override get [Symbol.species](): ArrayConstructor {
    return Array;
  }

  /** @internal */
  constructor(server: native.StorageServer | undefined) {
    super();
    this.#server = server;
    for (const request of server?.requests() ?? []) this.push(request);
  }

  /** Forgets every request, in the server and here. */
  clear(): void {
    this.#server?.clearRequests();
    this.length = 0;
  }
}
