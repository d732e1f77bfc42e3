//! A look at a database file that changes nothing in it.

use std::path::Path;

use holdfast_base::{Error, Result};
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::{Failure, Work};

/// As many problems as SQLite is asked for; a damaged file has thousands that say the same.
const MAX_PROBLEMS: u32 = 20;

/// What a file says of itself, and what SQLite finds wrong in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// Whose file it is: the header's application id.
    pub application_id: i32,
    /// The version of its schema.
    pub schema_version: u32,
    /// Bytes of its pages, the log's included.
    pub bytes: u64,
    /// What is wrong, in SQLite's words; empty when nothing is.
    pub problems: Vec<String>,
}

/// Opens a file to look at it. Nothing is written, but SQLite may make its `-shm` beside a file with a log.
///
/// # Errors
/// `Io` (`CANNOT_OPEN`), `Integrity` (`NOT_A_DATABASE`).
pub fn open_unchanged(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let opened = || -> Work<Connection> {
        let connection = Connection::open_with_flags(path, flags)?;
        connection.query_row("select count(*) from sqlite_schema", [], |_| Ok(()))?;
        Ok(connection)
    };
    opened().map_err(|failure| Error::from(failure).with("path", path.display().to_string()))
}

/// Checks every page and every index. Reads the whole file.
///
/// # Errors
/// `Locked`, `Io`, `Integrity` when not even that can be asked.
pub fn inspect(connection: &Connection) -> Result<Inspection> {
    let asked = || -> Work<Inspection> {
        let number = |pragma: &str| -> rusqlite::Result<i64> {
            connection.query_row(&format!("pragma {pragma}"), [], |row| row.get(0))
        };
        let mut problems = Vec::new();
        let mut statement = connection.prepare(&format!("pragma integrity_check({MAX_PROBLEMS})"))?;
        for line in statement.query_map([], |row| row.get::<_, String>(0))? {
            match line {
                Ok(line) if line == "ok" => {}
                Ok(line) => problems.push(line),
                // Where damage is such that SQLite can't go on looking.
                Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt) => {
                    problems.push(error.to_string());
                    break;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Inspection {
            application_id: connection.query_row("pragma application_id", [], |row| row.get(0))?,
            schema_version: connection.query_row("pragma user_version", [], |row| row.get(0))?,
            bytes: (number("page_count")? * number("page_size")?).unsigned_abs(),
            problems,
        })
    };
    asked().map_err(|failure: Failure| Error::from(failure))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sound_file_has_no_problem_and_a_damaged_one_is_described() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        let connection = Connection::open(&path).unwrap();
        connection.execute_batch("pragma application_id = 7; pragma user_version = 3; create table t (a, b);").unwrap();
        connection.execute_batch("create index i on t (b)").unwrap();
        for number in 0..2000 {
            connection.execute("insert into t values (?, ?)", (number, format!("text {number}"))).unwrap();
        }
        drop(connection);

        let sound = inspect(&open_unchanged(&path).unwrap()).unwrap();
        assert_eq!((sound.application_id, sound.schema_version), (7, 3));
        assert_eq!(sound.bytes, std::fs::metadata(&path).unwrap().len());
        assert_eq!(sound.problems, Vec::<String>::new());

        let mut bytes = std::fs::read(&path).unwrap();
        let middle = bytes.len() / 4096 / 2 * 4096;
        bytes[middle..middle + 512].fill(0xff);
        std::fs::write(&path, bytes).unwrap();
        let damaged = inspect(&open_unchanged(&path).unwrap()).unwrap();
        assert!(!damaged.problems.is_empty());
    }

    #[test]
    fn what_is_no_database_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        assert_eq!(open_unchanged(&path).unwrap_err().code(), "CANNOT_OPEN");
        std::fs::write(&path, "hello ".repeat(1000)).unwrap();
        assert_eq!(open_unchanged(&path).unwrap_err().code(), "NOT_A_DATABASE");
    }
}
