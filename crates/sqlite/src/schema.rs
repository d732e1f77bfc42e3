//! Whose file it is, and in which version.

use holdfast_base::{Error, ErrorKind};
use rusqlite::Connection;

use crate::Work;

/// A schema: an application id (SQLite's header field) and one script a version, oldest first.
#[derive(Clone, Copy, Debug)]
pub struct Schema {
    /// Written into the file's header; a file with another id is foreign.
    pub application_id: i32,
    /// The n-th script (from 0) brings the file from version n to n + 1.
    pub scripts: &'static [&'static str],
}

impl Schema {
    /// Brings the file to the newest version, in one transaction.
    ///
    /// # Errors
    /// `Integrity`: `FOREIGN_FILE` when it is somebody else's, `NEWER_FILE` when a later release wrote it.
    /// Either way nothing is changed.
    pub(crate) fn apply(&self, connection: &Connection) -> Work<()> {
        connection.execute_batch("begin immediate")?;
        let applied = self.apply_in_transaction(connection);
        connection.execute_batch(if applied.is_ok() { "commit" } else { "rollback" })?;
        applied
    }

    fn apply_in_transaction(&self, connection: &Connection) -> Work<()> {
        let id: i32 = connection.query_row("pragma application_id", [], |row| row.get(0))?;
        let version: u32 = connection.query_row("pragma user_version", [], |row| row.get(0))?;
        let tables: u32 = connection.query_row("select count(*) from sqlite_schema", [], |row| row.get(0))?;
        let is_new = id == 0 && version == 0 && tables == 0;
        if !is_new && id != self.application_id {
            return Err(integrity("FOREIGN_FILE", "the file belongs to another program; give another path").into());
        }
        let newest = u32::try_from(self.scripts.len()).unwrap_or(u32::MAX);
        if version > newest {
            return Err(integrity("NEWER_FILE", "a newer release of holdfast wrote the file; update to open it").into());
        }
        for script in self.scripts.iter().skip(version as usize) {
            connection.execute_batch(script)?;
        }
        connection.pragma_update(None, "application_id", self.application_id)?;
        connection.pragma_update(None, "user_version", newest)?;
        Ok(())
    }
}

fn integrity(code: &'static str, message: &str) -> Error {
    Error::new(ErrorKind::Integrity, code, format!("{message}; nothing was changed"))
}
