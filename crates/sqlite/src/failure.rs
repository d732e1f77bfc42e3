//! What a piece of work on a connection may fail with, and how it reads outside this crate.

use holdfast_base::{Error, ErrorKind};
use rusqlite::ErrorCode;

/// SQLite's own error, or one of the house's that the work raised to undo itself.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// SQLite refused.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    /// The work itself refused.
    #[error(transparent)]
    House(#[from] Error),
}

/// What a piece of work on a connection gives back.
pub type Work<T> = Result<T, Failure>;

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::House(error) => error,
            Failure::Sqlite(error) => from_sqlite(&error),
        }
    }
}

fn from_sqlite(error: &rusqlite::Error) -> Error {
    let (kind, code, advice) = match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            (ErrorKind::Locked, "DATABASE_LOCKED", "another connection holds the file; try again, or raise busyTimeout")
        }
        Some(ErrorCode::DiskFull) => (ErrorKind::Io, "DISK_FULL", "free some space and try again"),
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
            (ErrorKind::Integrity, "NOT_A_DATABASE", "the file is corrupt or not SQLite's; it was left as it is")
        }
        Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied | ErrorCode::ReadOnly) => {
            (ErrorKind::Io, "CANNOT_OPEN", "check that the path exists and may be written")
        }
        Some(ErrorCode::SystemIoFailure) => (ErrorKind::Io, "IO_ERROR", "see the message of the operating system"),
        Some(ErrorCode::ConstraintViolation) => (ErrorKind::Conflict, "CONSTRAINT", "the statement was undone"),
        Some(ErrorCode::OperationInterrupted) => (ErrorKind::Aborted, "INTERRUPTED", "the statement was undone"),
        _ => (ErrorKind::Validation, "SQL_ERROR", "the statement was undone"),
    };
    let retryable = kind == ErrorKind::Locked;
    Error::new(kind, code, format!("{error}; {advice}")).retryable(retryable)
}
