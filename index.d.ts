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
export declare class PersistError extends Error {
	/** Stable, `SCREAMING_SNAKE_CASE`; `docs/errors.md` says what to do next for each. */
	readonly code: string;
	/** Whether the same call may succeed later. */
	readonly retryable: boolean;
	/** Facts for programs. */
	readonly details: Readonly<Record<string, unknown>>;
	constructor(message: string, options: PersistErrorOptions);
}
/** The thing asked for does not exist. */
export declare class NotFoundError extends PersistError {
}
/** A condition (version, ETag, must-not-exist) did not hold; read again and decide. */
export declare class ConflictError extends PersistError {
}
/** The adapter can't do that; see `store.capabilities`. */
export declare class CapabilityError extends PersistError {
}
/** A setting is missing, unknown, out of range, or contradicts another. */
export declare class ConfigError extends PersistError {
}
/** An argument or a value can't be accepted; nothing was written. */
export declare class ValidationError extends PersistError {
}
/** The other side could not be reached, or refused. */
export declare class ConnectionError extends PersistError {
}
/** It took longer than it was given. */
export declare class TimeoutError extends PersistError {
}
/** The caller aborted it. */
export declare class AbortedError extends PersistError {
}
/** Somebody else holds it. */
export declare class LockedError extends PersistError {
}
/** Stored data is corrupt, foreign, or of a newer format; it was left as it is. */
export declare class IntegrityError extends PersistError {
}
/** It was called after `close()`. */
export declare class ClosedError extends PersistError {
}
/** The disk or the operating system failed. */
export declare class IoError extends PersistError {
}
/** A defect of holdfast; please report it. */
export declare class InternalError extends PersistError {
}

export {};
