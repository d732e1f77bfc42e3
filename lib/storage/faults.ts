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
  /** How many requests it meets before it is gone, at least 1. Default: all, until it is removed. */
  count?: number;
  /** How likely it meets a request that fits, from 0 to 1. Default 1. */
  probability?: number;
  /** What the draws of `probability` begin with, a whole number: the same seed meets the same requests again. */
  seed?: number;
  /** Waits before the operation, in milliseconds. */
  delayMs?: number;
  /** Answers with this S3 error, for example `SlowDown`; the operation does not happen. */
  error?: string;
  /**
   * Cuts the connection: `before` the operation; in the midst of the `request`'s body, so that it does not happen;
   * `after` it, when it has happened and the client can't know; in the midst of the `response`'s body.
   */
  cut?: "before" | "request" | "after" | "response";
  /** Flips a bit of one byte of the answer's body; its headers, checksums too, are those of the true one. */
  corrupt?: boolean;
  /** Where a body is cut or corrupted, in bytes from its beginning. Default: in its middle. */
  atByte?: number;
  /** Lets no more than so many bytes a second through, of the request's body and of the answer's; at least 1. */
  bytesPerSecond?: number;
}

/** A fault that was added. */
export interface IAddedFault {
  /** How many requests it has met so far. */
  readonly met: number;
  /** Removes it; whether it was still there. */
  remove(): boolean;
}

const TYPES: Readonly<Record<keyof IStorageFault, "string" | "number" | "boolean">> = {
  operation: "string",
  bucket: "string",
  key: "string",
  count: "number",
  probability: "number",
  seed: "number",
  delayMs: "number",
  error: "string",
  cut: "string",
  corrupt: "boolean",
  atByte: "number",
  bytesPerSecond: "number",
};
/** The most that a whole number among the fields may be. */
const MOST: Partial<Record<keyof IStorageFault, number>> = {
  count: 2 ** 32 - 1,
  seed: Number.MAX_SAFE_INTEGER,
  delayMs: 2 ** 32 - 1,
  atByte: Number.MAX_SAFE_INTEGER,
  bytesPerSecond: Number.MAX_SAFE_INTEGER,
};

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
  add(fault: IStorageFault): IAddedFault {
    return open(this.#server().addFault(checked(fault)));
  }

  /** Removes every fault. */
  clear(): void {
    this.#server().clearFaults();
  }
}

/** What the core can take; what the values mean, it checks itself. */
function checked(fault: IStorageFault): IStorageFault {
  if (typeof fault !== "object" || fault === null) {
    const message = "a fault is an object that says what goes wrong, and which requests it meets";
    throw new ValidationError(message, { code: "INVALID_FAULT" });
  }
  const given = Object.entries(fault).filter(([, value]) => value !== undefined);
  for (const [field, value] of given) {
    const type = TYPES[field as keyof IStorageFault];
    if (type === undefined) throw invalid(field, `there is no such field; there are ${Object.keys(TYPES).join(", ")}`);
    if (typeof value !== type) throw invalid(field, `it is a ${type}, not ${value === null ? "null" : typeof value}`);
    const most = MOST[field as keyof IStorageFault];
    if (most !== undefined && !(Number.isInteger(value) && Number(value) >= 0 && Number(value) <= most)) {
      throw invalid(field, `it is a whole number from 0 to ${most}`);
    }
  }
  return Object.fromEntries(given);
}

function invalid(field: string, why: string): ValidationError {
  const message = `the fault's ${field} can't be used: ${why}`;
  return new ValidationError(message, { code: "INVALID_FAULT", details: { field } });
}
