//! SlateDB's errors in Level's words.

use std::time::Duration;

use holdfast_base::{Error, ErrorKind, Result};
use slatedb::{CloseReason, ErrorKind as LsmErrorKind};

use crate::failure::level_error;

/// The outcome of work of SlateDB, or the error that it took too long.
pub(crate) async fn within<T>(
    timeout: Duration,
    work: impl Future<Output = std::result::Result<T, slatedb::Error>>,
) -> Result<T> {
    match tokio::time::timeout(timeout, work).await {
        Ok(outcome) => outcome.map_err(|error| lsm_error(&error)),
        Err(_) => {
            Err(Error::new(ErrorKind::Timeout, "LEVEL_TIMEOUT", "no answer in time; try again, or allow more time"))
        }
    }
}

/// The outcome of a flush, or the error that nobody knows it yet.
pub(crate) async fn within_flush(timeout: Duration, flush: impl Future<Output = Result<()>>) -> Result<()> {
    match tokio::time::timeout(timeout, flush).await {
        Ok(outcome) => outcome,
        Err(_) => Err(unknown(ErrorKind::Timeout, "it took too long to store the write")),
    }
}

/// The error of a flush: what was to be flushed may be stored or not.
pub(crate) fn flush_error(error: &slatedb::Error) -> Error {
    match error.kind() {
        LsmErrorKind::Unavailable => unknown(ErrorKind::Connection, &error.to_string()),
        _ => lsm_error(error),
    }
}

fn unknown(kind: ErrorKind, why: &str) -> Error {
    let message = format!("{why}; the write may be stored all the same, now or later: read its keys to find out");
    Error::new(kind, "LEVEL_OUTCOME_UNKNOWN", message).retryable(false)
}

pub(crate) fn read_only() -> Error {
    let message = "the database was opened with readOnly; open it without to write";
    Error::new(ErrorKind::Capability, "LEVEL_READONLY", message)
}

/// The same error with a code of Level's.
pub(crate) fn lsm_error(error: &slatedb::Error) -> Error {
    if let Some(ours) = own_cause(error) {
        return level_error(ours);
    }
    let (kind, code, advice) = match error.kind() {
        LsmErrorKind::Closed(CloseReason::Fenced) => (
            ErrorKind::Locked,
            "LEVEL_LOCKED",
            "another process opened the database for writing and this one writes no more; open it again to take over",
        ),
        LsmErrorKind::Closed(CloseReason::Clean) => {
            (ErrorKind::Closed, "LEVEL_DATABASE_NOT_OPEN", "open it again to use it")
        }
        LsmErrorKind::Closed(_) => {
            (ErrorKind::Io, "LEVEL_IO_ERROR", "the database stopped after a failure; open it again")
        }
        LsmErrorKind::Unavailable => (ErrorKind::Connection, "LEVEL_CONNECTION_FAILED", "try again later"),
        LsmErrorKind::Data => (
            ErrorKind::Integrity,
            "LEVEL_CORRUPTION",
            "objects of the database are missing, damaged or of another version; they were left as they are",
        ),
        _ => (ErrorKind::Internal, "LEVEL_IO_ERROR", "please report it"),
    };
    Error::new(kind, code, format!("{error}; {advice}"))
}

/// The error of our own client that is behind one of SlateDB.
fn own_cause(error: &slatedb::Error) -> Option<Error> {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(ours) = error.downcast_ref::<Error>() {
            return Some(ours.clone());
        }
        cause = error.source();
    }
    None
}
