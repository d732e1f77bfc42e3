//! What a statement of the application may not do: take the log away from under replication, or end a
//! transaction that is not its own.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use holdfast_base::{Error, ErrorKind, Result};
use holdfast_sqlite::Failure;
use holdfast_sqlite::rusqlite::Connection;
use holdfast_sqlite::rusqlite::hooks::{AuthAction, AuthContext, Authorization};

const REFUSED_WITH_VALUE: [&str; 3] = ["journal_mode", "locking_mode", "wal_autocheckpoint"];
const READ_WITH_VALUE: [&str; 10] = [
    "table_info",
    "table_xinfo",
    "table_list",
    "index_list",
    "index_info",
    "index_xinfo",
    "foreign_key_list",
    "foreign_key_check",
    "integrity_check",
    "quick_check",
];

/// Whose statement is being prepared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Caller {
    /// The application's, alone.
    Statement = 0,
    /// The application's, in a transaction.
    Transaction = 1,
    /// Ours.
    House = 2,
}

/// The authorizer of the writing connection. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Authorizer {
    caller: Arc<AtomicU8>,
    refusal: Arc<Mutex<Option<Error>>>,
}

impl Authorizer {
    /// Puts it before every statement of the writing connection.
    pub(crate) fn install(&self, connection: &mut Connection) -> Result<()> {
        let authorizer = self.clone();
        let decide = move |context: AuthContext<'_>| match refuse(&context.action, authorizer.caller()) {
            None => Authorization::Allow,
            Some(error) => {
                *authorizer.refusal.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                Authorization::Deny
            }
        };
        connection.authorizer(Some(decide)).map_err(|error| Error::from(Failure::from(error)))
    }

    /// Runs `work` on behalf of a caller.
    pub(crate) fn on_behalf<T>(&self, caller: Caller, work: impl FnOnce() -> Result<T, Failure>) -> Result<T> {
        self.caller.store(caller as u8, Ordering::SeqCst);
        let done = work();
        self.caller.store(Caller::Statement as u8, Ordering::SeqCst);
        let refusal = self.refusal.lock().unwrap_or_else(PoisonError::into_inner).take();
        done.map_err(|failure| refusal.unwrap_or_else(|| failure.into()))
    }

    fn caller(&self) -> Caller {
        match self.caller.load(Ordering::SeqCst) {
            0 => Caller::Statement,
            1 => Caller::Transaction,
            _ => Caller::House,
        }
    }
}

fn refuse(action: &AuthAction<'_>, caller: Caller) -> Option<Error> {
    if caller == Caller::House {
        return None;
    }
    match action {
        AuthAction::Pragma { pragma_name, pragma_value } => {
            let name = pragma_name.to_ascii_lowercase();
            let is_refused =
                name == "wal_checkpoint" || (pragma_value.is_some() && REFUSED_WITH_VALUE.contains(&name.as_str()));
            is_refused.then(|| {
                refusal("PRAGMA_REFUSED", &format!("PRAGMA {name} is refused: replication owns the log. Leave it out"))
            })
        }
        AuthAction::Attach { filename } if !matches!(*filename, "" | ":memory:") => Some(refusal(
            "ATTACH_REFUSED",
            "ATTACH of a file is refused: what is written to it would not be replicated. Attach ':memory:', or open another connection",
        )),
        AuthAction::Transaction { .. } => Some(refusal(
            "TRANSACTION_REFUSED",
            "BEGIN, COMMIT and ROLLBACK are refused: statements of other requests would fall into the transaction. Use transaction()",
        )),
        AuthAction::Savepoint { .. } if caller == Caller::Statement => {
            Some(refusal("TRANSACTION_REFUSED", "SAVEPOINT outside of a transaction is refused. Use transaction()"))
        }
        _ => None,
    }
}

/// Makes a reading connection refuse whatever belongs on the writing one.
pub(crate) fn install_on_reader(connection: &mut Connection) -> Result<()> {
    let decide = |context: AuthContext<'_>| match context.action {
        AuthAction::Transaction { .. }
        | AuthAction::Savepoint { .. }
        | AuthAction::Attach { .. }
        | AuthAction::Detach { .. } => Authorization::Deny,
        AuthAction::Pragma { pragma_name, pragma_value } => {
            let name = pragma_name.to_ascii_lowercase();
            let is_read = pragma_value.is_none() && name != "wal_checkpoint";
            if is_read || READ_WITH_VALUE.contains(&name.as_str()) { Authorization::Allow } else { Authorization::Deny }
        }
        _ => Authorization::Allow,
    };
    connection.authorizer(Some(decide)).map_err(|error| Error::from(Failure::from(error)))
}

fn refusal(code: &'static str, message: &str) -> Error {
    Error::new(ErrorKind::Validation, code, message)
}
