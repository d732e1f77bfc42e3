//! Connections that only read, and see only what is committed.

use std::sync::{Mutex, MutexGuard, PoisonError};

use holdfast_base::{Error, ErrorKind, Result};
use holdfast_sqlite::rusqlite::config::DbConfig;
use holdfast_sqlite::rusqlite::{Connection, ErrorCode};
use holdfast_sqlite::{Failure, Settings};
use tokio::sync::Semaphore;

use crate::authorizer::install_on_reader;
use crate::statement::{Rows, Statement};

/// How a reader answered.
#[derive(Debug)]
pub(crate) enum Answer {
    Rows(Rows),
    /// It writes, or a reader can't say what it does.
    ForWriter,
}

/// Opened on demand, at most `settings.max_readers`.
#[derive(Debug)]
pub(crate) struct ReaderPool {
    settings: Settings,
    idle: Mutex<Option<Vec<Connection>>>,
    turns: Semaphore,
}

impl ReaderPool {
    pub(crate) fn new(settings: Settings) -> Self {
        let turns = Semaphore::new(settings.max_readers.max(1));
        Self { settings, idle: Mutex::new(Some(Vec::new())), turns }
    }

    /// Waits for a connection's turn.
    pub(crate) async fn turn(&self) -> Result<tokio::sync::SemaphorePermit<'_>> {
        self.turns.acquire().await.map_err(|_| Error::closed("the database"))
    }

    /// Runs the statement when it only reads. Blocks; the caller holds a turn.
    pub(crate) fn run(&self, statement: &Statement) -> Result<Answer> {
        let taken = match self.idle().as_mut() {
            None => return Err(Error::closed("the database")),
            Some(idle) => idle.pop(),
        };
        let connection = taken.map_or_else(|| self.connect(), Ok)?;
        let answer = read(&connection, statement);
        if let Some(idle) = self.idle().as_mut() {
            idle.push(connection);
        }
        answer.map_err(Error::from)
    }

    /// Closes the idle connections; those in use are closed when they come back.
    pub(crate) fn close(&self) {
        self.turns.close();
        self.idle().take();
    }

    fn connect(&self) -> Result<Connection> {
        let mut connection = self.settings.connect_reader()?;
        keep_log_at_close(&connection)?;
        install_on_reader(&mut connection)?;
        Ok(connection)
    }

    fn idle(&self) -> MutexGuard<'_, Option<Vec<Connection>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs a statement of a follower.
pub(crate) fn read_only(connection: &Connection, statement: &Statement) -> Result<Rows> {
    let mut prepared = match connection.prepare_cached(&statement.sql) {
        Ok(prepared) => prepared,
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::AuthorizationForStatementDenied) => {
            return Err(is_read_only());
        }
        Err(error) => return Err(Failure::from(error).into()),
    };
    if !prepared.readonly() {
        return Err(is_read_only());
    }
    Ok(statement.run_prepared(&mut prepared)?)
}

fn is_read_only() -> Error {
    let message = "this database follows another one (readOnly) and can't be written; write where that one is open";
    Error::new(ErrorKind::Capability, "READ_ONLY", message)
}

/// Makes a follower's connection refuse what does not read.
pub(crate) fn install_on_follower(connection: &mut Connection) -> Result<()> {
    connection.set_prepared_statement_cache_capacity(128);
    install_on_reader(connection)
}

fn read(connection: &Connection, statement: &Statement) -> Result<Answer, Failure> {
    let Ok(mut prepared) = connection.prepare_cached(&statement.sql) else { return Ok(Answer::ForWriter) };
    if !prepared.readonly() {
        return Ok(Answer::ForWriter);
    }
    statement.run_prepared(&mut prepared).map(Answer::Rows)
}

/// The last connection that closes would checkpoint frames that are not stored, and delete the log.
pub(crate) fn keep_log_at_close(connection: &Connection) -> Result<()> {
    let set = connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
    set.map(drop).map_err(|error| Error::from(Failure::from(error)))
}
