import { ValidationError } from "../errors.js";
import type { native } from "../native.js";
import { open } from "../native.js";

/** What goes wrong, and for which requests; a field that is left out fits every request. */
export interface IStorageFault {
  /** Only this operation, for example `GetObject`. */
  operation?: string;
  /** Only this bucket. */
  bucket?: string;
  /** Only this key. */
  key?: string;
  /** How many requests it meets before it is gone, at least 1. Default: all, until `clear()`. */
  count?: number;
  /** How likely it meets a request that fits, from 0 to 1. Default 1. */
  probability?: number;
  /** Waits before the operation, in milliseconds. */
  delayMs?: number;
  /** Answers with this S3 error, for example `SlowDown`; the operation does not happen. */
  error?: string;
  /** Cuts the connection: `before` the operation, or `after` it, when it has happened and the client can't know. */
  cut?: "before" | "after";
}

/** Makes a server fail on purpose, for tests of its clients. The first fault that fits a request meets it. */
export class Faults {
  readonly #server: () => native.StorageServer;

  /** @internal `server` gives the running server, or throws. */
  constructor(server: () => native.StorageServer) {
    this.#server = server;
  }

  /**
   * Adds a fault.
   *
   * @throws ValidationError `INVALID_FAULT`, naming the field that can't be used; ClosedError when the server is not running.
   */
  add(fault: IStorageFault): void {
    if (typeof fault !== "object" || fault === null) {
      const message = "a fault is an object with an error, a delayMs or a cut, and which requests it meets";
      throw new ValidationError(message, { code: "INVALID_FAULT" });
    }
    open(this.#server().addFault(fault));
  }

  /** Removes every fault. */
  clear(): void {
    this.#server().clearFaults();
  }
}
