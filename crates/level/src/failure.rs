//! Errors in Level's words.

use holdfast_base::{Error, ErrorKind};

/// The same error with a code of Level's.
pub(crate) fn level_error(error: Error) -> Error {
    let code = match (error.kind(), error.code()) {
        (_, code) if code.starts_with("LEVEL_") => return error,
        (_, "NO_SUCH_BUCKET") => "LEVEL_BUCKET_NOT_FOUND",
        (_, "ACCESS_DENIED") => "LEVEL_ACCESS_DENIED",
        (_, "OUTCOME_UNKNOWN") => "LEVEL_OUTCOME_UNKNOWN",
        (_, "PRECONDITION_FAILED" | "WRITE_CONFLICT") => "LEVEL_CONFLICT",
        (_, "KEY_TOO_LONG") => "LEVEL_INVALID_KEY",
        (ErrorKind::Connection, _) => "LEVEL_CONNECTION_FAILED",
        (ErrorKind::Timeout, _) => "LEVEL_TIMEOUT",
        (ErrorKind::Config, _) => "LEVEL_INVALID_OPTION",
        (ErrorKind::Closed, _) => "LEVEL_DATABASE_NOT_OPEN",
        _ => "LEVEL_IO_ERROR",
    };
    let same = Error::new(error.kind(), code, error.message()).retryable(error.is_retryable());
    let same = error.details().iter().fold(same, |same, (name, value)| same.with(name, value.clone()));
    same.with("cause", error.code())
}
