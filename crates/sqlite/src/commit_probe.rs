//! Whether anybody committed.

use holdfast_base::Result;
use rusqlite::Connection;

use crate::Failure;

/// A connection of its own that asks SQLite whether the file was changed. Asking reads no table.
#[derive(Debug)]
pub struct CommitProbe {
    connection: Connection,
    version: i64,
}

impl CommitProbe {
    pub(crate) fn new(connection: Connection) -> Result<Self> {
        let version = version(&connection)?;
        Ok(Self { connection, version })
    }

    /// Whether something was committed since the last answer, by any connection of any process.
    ///
    /// # Errors
    /// As any read.
    pub fn has_news(&mut self) -> Result<bool> {
        let version = version(&self.connection)?;
        Ok(std::mem::replace(&mut self.version, version) != version)
    }
}

fn version(connection: &Connection) -> Result<i64> {
    let ask = || -> std::result::Result<i64, Failure> {
        Ok(connection.prepare_cached("pragma data_version")?.query_row([], |row| row.get(0))?)
    };
    Ok(ask()?)
}
