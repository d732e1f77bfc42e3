/** What every error of holdfast carries beside its message. */
export interface PersistErrorOptions {
  /** Stable, `SCREAMING_SNAKE_CASE`; `docs/errors.md` says what to do next for each. */
  code: string;
  /** Whether the same call may succeed later. Default false. */
  retryable?: boolean;
  /** What caused it. */
  cause?: unknown;
  /** Facts for programs, for example `{ expected: 3, actual: 4 }`. */
  details?: Readonly<Record<string, unknown>>;
}

/** The base of every error that holdfast throws. */
export class PersistError extends Error {
  /** Stable, `SCREAMING_SNAKE_CASE`; `docs/errors.md` says what to do next for each. */
  readonly code: string;
  /** Whether the same call may succeed later. */
  readonly retryable: boolean;
  /** Facts for programs. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(message: string, options: PersistErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = options.code;
    this.retryable = options.retryable ?? false;
    this.details = options.details ?? {};
  }
}

/** The thing asked for does not exist. */
export class NotFoundError extends PersistError {}
/** A condition (version, ETag, must-not-exist) did not hold; read again and decide. */
export class ConflictError extends PersistError {}
/** The adapter can't do that; see `store.capabilities`. */
export class CapabilityError extends PersistError {}
/** A setting is missing, unknown, out of range, or contradicts another. */
export class ConfigError extends PersistError {}
/** An argument or a value can't be accepted; nothing was written. */
export class ValidationError extends PersistError {}
/** The other side could not be reached, or refused. */
export class ConnectionError extends PersistError {}
/** It took longer than it was given. */
export class TimeoutError extends PersistError {}
/** The caller aborted it. */
export class AbortedError extends PersistError {}
/** Somebody else holds it. */
export class LockedError extends PersistError {}
/** Stored data is corrupt, foreign, or of a newer format; it was left as it is. */
export class IntegrityError extends PersistError {}
/** It was called after `close()`. */
export class ClosedError extends PersistError {}
/** The disk or the operating system failed. */
export class IoError extends PersistError {}
/** A defect of holdfast; please report it. */
export class InternalError extends PersistError {}
