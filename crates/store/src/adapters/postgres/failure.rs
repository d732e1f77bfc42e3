//! What a server's refusals and broken connections are to a caller.

use std::error::Error as _;

use deadpool_postgres::{HookError, PoolError, TimeoutType};
use holdfast_base::{Error, ErrorKind};
use tokio_postgres::error::SqlState;

/// Work against the server that may fail.
pub(super) type Work<T> = Result<T, Failure>;

/// Why work failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// As the caller gets it.
    House(Error),
    /// The server refused, or the connection to it broke.
    Server(tokio_postgres::Error),
    /// No connection came free, or none could be made, in time.
    TooLate(&'static str),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::House(error)
    }
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Server(error)
    }
}

impl From<PoolError> for Failure {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Backend(error) | PoolError::PostCreateHook(HookError::Backend(error)) => Self::Server(error),
            PoolError::Closed => Self::House(Error::closed("the store")),
            PoolError::Timeout(TimeoutType::Wait) => Self::TooLate("every connection of the pool was busy"),
            PoolError::Timeout(_) => Self::TooLate("the server did not answer"),
            other => Self::House(Error::internal(other.to_string())),
        }
    }
}

impl Failure {
    /// Whether the connection is gone, or the server can't be worked with now; a new connection may do.
    pub(super) fn is_lost(&self) -> bool {
        let Self::Server(error) = self else { return false };
        match error.code() {
            Some(code) => {
                code.code().starts_with("08")
                    || [
                        SqlState::ADMIN_SHUTDOWN,
                        SqlState::CRASH_SHUTDOWN,
                        SqlState::CANNOT_CONNECT_NOW,
                        SqlState::TOO_MANY_CONNECTIONS,
                        SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
                    ]
                    .contains(code)
            }
            None => error.is_closed() || (has_io_cause(error) && !is_tls(error)),
        }
    }

    /// Whether the connection broke with no word from the server: what was sent may have been done or not.
    pub(super) fn is_silent(&self) -> bool {
        matches!(self, Self::Server(error) if error.code().is_none()) && self.is_lost()
    }

    /// Whether the server undid the transaction because of others, so that the same may go through now.
    pub(super) fn is_undone(&self) -> bool {
        let Self::Server(error) = self else { return false };
        let undone = [SqlState::T_R_DEADLOCK_DETECTED, SqlState::T_R_SERIALIZATION_FAILURE, SqlState::UNIQUE_VIOLATION];
        error.code().is_some_and(|code| undone.contains(code))
    }

    /// As a caller gets it. Texts of the server are shown; it never repeats a password.
    pub(super) fn into_error(self) -> Error {
        match self {
            Self::House(error) => error,
            Self::TooLate(what) => {
                let message = format!("{what} for {} s; try again, or give the pool more connections", super::WAIT_S);
                Error::new(ErrorKind::Timeout, "POOL_EXHAUSTED", message)
            }
            Self::Server(error) => from_server(&error),
        }
    }
}

fn has_io_cause(error: &tokio_postgres::Error) -> bool {
    error.source().is_some_and(|cause| cause.is::<std::io::Error>())
}

/// The library names the kind in its text alone.
fn is_tls(error: &tokio_postgres::Error) -> bool {
    error.to_string().contains("TLS")
}

fn from_server(error: &tokio_postgres::Error) -> Error {
    let Some(refusal) = error.as_db_error() else { return from_connection(error) };
    let said = refusal.message();
    let code = refusal.code();
    let of = |kind, name, advice: &str| {
        Error::new(kind, name, format!("PostgreSQL says: {said}; {advice}")).with("sqlstate", code.code())
    };
    if code.code().starts_with("28") || *code == SqlState::INSUFFICIENT_PRIVILEGE {
        let denied = of(ErrorKind::Connection, "ACCESS_DENIED", "check user, password and what the user may do");
        return denied.retryable(false);
    }
    if code.code().starts_with("08") || code.code().starts_with("57P") {
        return of(ErrorKind::Connection, "CONNECTION_FAILED", "try again");
    }
    if *code == SqlState::INVALID_CATALOG_NAME {
        return of(ErrorKind::NotFound, "NO_SUCH_DATABASE", "make the database first, or check its name");
    }
    if *code == SqlState::TOO_MANY_CONNECTIONS {
        return of(ErrorKind::Connection, "TOO_MANY_CONNECTIONS", "lower pool.max, or raise max_connections");
    }
    if *code == SqlState::READ_ONLY_SQL_TRANSACTION {
        return of(ErrorKind::Connection, "READ_ONLY_SERVER", "connect to the primary server");
    }
    if *code == SqlState::DISK_FULL {
        return of(ErrorKind::Io, "DISK_FULL", "free some space on the server and try again");
    }
    if *code == SqlState::LOCK_NOT_AVAILABLE {
        return of(ErrorKind::Locked, "DATABASE_LOCKED", "somebody held it for too long; try again").retryable(true);
    }
    if [SqlState::UNDEFINED_TABLE, SqlState::UNDEFINED_COLUMN].contains(code) {
        return of(ErrorKind::Integrity, "TABLES_CHANGED", "the store's tables were changed by hand; restore them");
    }
    of(ErrorKind::Io, "POSTGRES_FAILED", "see the message and the server's log")
}

fn from_connection(error: &tokio_postgres::Error) -> Error {
    let cause = error.source().map_or(String::new(), |cause| format!(": {cause}"));
    let text = format!("{error}{cause}");
    if is_tls(error) {
        let message = format!("no TLS connection to PostgreSQL came about ({text}); check ssl and its ca");
        return Error::new(ErrorKind::Connection, "TLS_FAILED", message).retryable(false);
    }
    if error.is_closed() || has_io_cause(error) {
        let message = format!("the connection to PostgreSQL failed ({text}); check host and port, or try again");
        return Error::new(ErrorKind::Connection, "CONNECTION_FAILED", message);
    }
    if text.starts_with("authentication") || text.starts_with("invalid configuration") {
        let message = format!("PostgreSQL can't be entered ({text}); check user, password and database");
        return Error::new(ErrorKind::Connection, "ACCESS_DENIED", message).retryable(false);
    }
    Error::new(ErrorKind::Io, "POSTGRES_FAILED", format!("PostgreSQL could not be understood ({text}); see its log"))
}
