//! One error type for the whole house. It crosses the border as data, so it holds only data.

use std::fmt;

use serde::Serialize;

/// What went wrong, in the words of the public error classes. One kind is one class in `lib/errors.ts`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum ErrorKind {
    /// The thing asked for does not exist.
    NotFound,
    /// A condition (version, ETag, must-not-exist) did not hold.
    Conflict,
    /// This adapter can't do that.
    Capability,
    /// A setting is missing, unknown, out of range or contradicts another.
    Config,
    /// An argument or a value can't be accepted; nothing was written.
    Validation,
    /// The other side could not be reached, or refused.
    Connection,
    /// It took longer than it was given.
    Timeout,
    /// The caller aborted it.
    Aborted,
    /// Somebody else holds it.
    Locked,
    /// Stored data is corrupt, foreign or of a newer format.
    Integrity,
    /// It was called after `close()`.
    Closed,
    /// The disk or the operating system failed.
    Io,
    /// A defect of ours.
    Internal,
}

/// An error: its kind, a stable `code` (`SCREAMING_SNAKE_CASE`, documented in `docs/errors.md`),
/// a message that says what happened and what to do, and details for programs.
#[derive(Clone, Debug)]
pub struct Error(Box<Body>);

#[derive(Clone, Debug)]
struct Body {
    kind: ErrorKind,
    code: &'static str,
    message: String,
    retryable: bool,
    details: serde_json::Map<String, serde_json::Value>,
}

/// A result whose error is the house's.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// Makes an error. Connection and timeout errors are retryable unless said otherwise.
    pub fn new(kind: ErrorKind, code: &'static str, message: impl Into<String>) -> Self {
        Self(Box::new(Body {
            kind,
            code,
            message: message.into(),
            retryable: matches!(kind, ErrorKind::Connection | ErrorKind::Timeout),
            details: serde_json::Map::new(),
        }))
    }

    /// The same error, marked as worth (or not worth) trying again unchanged.
    #[must_use]
    pub fn retryable(mut self, retryable: bool) -> Self {
        self.0.retryable = retryable;
        self
    }

    /// The same error with one more detail. Never a secret: details reach logs.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<serde_json::Value>) -> Self {
        self.0.details.insert(name.to_owned(), value.into());
        self
    }

    /// Which public class it becomes.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The stable code.
    pub fn code(&self) -> &'static str {
        self.0.code
    }

    /// What happened and what to do.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Whether the same call may succeed later.
    pub fn is_retryable(&self) -> bool {
        self.0.retryable
    }

    /// Details for programs, by name.
    pub fn details(&self) -> &serde_json::Map<String, serde_json::Value> {
        &self.0.details
    }

    /// A defect of ours.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Internal, "INTERNAL", message)
    }

    /// A call after `close()`.
    pub fn closed(what: &str) -> Self {
        Self::new(ErrorKind::Closed, "CLOSED", format!("{what} is closed; open it again to use it"))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for Error {}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        use std::io::ErrorKind as Io;
        let (code, advice) = match error.kind() {
            Io::StorageFull | Io::QuotaExceeded => ("DISK_FULL", "free some space and try again"),
            Io::PermissionDenied | Io::ReadOnlyFilesystem => {
                ("PERMISSION_DENIED", "check the owner and the mode of the path")
            }
            // EMFILE and ENFILE, which the standard library has no names for.
            _ if matches!(error.raw_os_error(), Some(23 | 24)) => {
                ("TOO_MANY_OPEN_FILES", "close some, or allow this process more (ulimit -n)")
            }
            _ => ("IO_ERROR", "see the message of the operating system"),
        };
        Self::new(ErrorKind::Io, code, format!("{error}; {advice}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_has_its_own_code() {
        let error = Error::from(std::io::Error::from(std::io::ErrorKind::StorageFull));
        assert_eq!((error.kind(), error.code()), (ErrorKind::Io, "DISK_FULL"));
    }

    #[test]
    fn a_process_without_descriptors_has_its_own_code() {
        assert_eq!(Error::from(std::io::Error::from_raw_os_error(24)).code(), "TOO_MANY_OPEN_FILES");
    }

    #[test]
    fn connection_errors_are_retryable_and_conflicts_are_not() {
        assert!(Error::new(ErrorKind::Connection, "REFUSED", "no").is_retryable());
        assert!(!Error::new(ErrorKind::Conflict, "VERSION", "no").is_retryable());
    }
}
