import type { Failure, FailureData, Reply } from "#native";
import * as native from "#native";
import * as errors from "./errors.js";

export { native };

type ErrorClass = new (message: string, options: errors.PersistErrorOptions) => errors.PersistError;

/** The class of each kind of `crates/base/src/error.rs`. */
const CLASS_OF_KIND: Readonly<Record<string, ErrorClass>> = {
  NotFound: errors.NotFoundError,
  Conflict: errors.ConflictError,
  Capability: errors.CapabilityError,
  Config: errors.ConfigError,
  Validation: errors.ValidationError,
  Connection: errors.ConnectionError,
  Timeout: errors.TimeoutError,
  Aborted: errors.AbortedError,
  Locked: errors.LockedError,
  Integrity: errors.IntegrityError,
  Closed: errors.ClosedError,
  Io: errors.IoError,
};

/** Opens the envelope of a native call: gives back its value, or throws its error. */
export function open<T>(reply: Reply<T>): T {
  if (isFailure(reply)) throw toError(reply.failure);
  return reply;
}

/** Awaits a native call and opens its envelope. */
export async function settle<T>(reply: Promise<Reply<T>>): Promise<T> {
  return open(await reply);
}

/** The error that a failure stands for. */
export function toError(failure: FailureData): errors.PersistError {
  const details = failure.details === undefined ? {} : (JSON.parse(failure.details) as Record<string, unknown>);
  const Class = CLASS_OF_KIND[failure.kind] ?? errors.InternalError;
  return new Class(failure.message, { code: failure.code, retryable: failure.retryable, details });
}

function isFailure<T>(reply: Reply<T>): reply is Failure {
  return typeof reply === "object" && reply !== null && (reply as Partial<Failure>).failure !== undefined;
}
