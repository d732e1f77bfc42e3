//! Rows of `chore`: what a commit owes the files.

use holdfast_base::{Error, ErrorKind};
use holdfast_sqlite::Work;
use holdfast_sqlite::rusqlite::{Connection, params};

use super::super::data_path::DataPath;

/// What is to be done with a file once its commit stands. Doing it twice is as doing it once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) enum Chore {
    /// Move it from the staging folder to its place.
    Place(DataPath),
    /// Unlink it, wherever it is.
    Remove(DataPath),
}

impl Chore {
    /// The row's primary key.
    pub(in super::super) fn row_key(&self) -> (i64, i64) {
        match self {
            Self::Place(path) => (path.number(), 0),
            Self::Remove(path) => (path.number(), 1),
        }
    }

    fn path(&self) -> &DataPath {
        match self {
            Self::Place(path) | Self::Remove(path) => path,
        }
    }
}

pub(in super::super) fn insert(connection: &Connection, chore: &Chore) -> Work<()> {
    let (file, kind) = chore.row_key();
    connection.prepare_cached("insert into chore (file, kind, path) values (?1, ?2, ?3)")?.execute(params![
        file,
        kind,
        chore.path().as_str()
    ])?;
    Ok(())
}

pub(in super::super) fn delete(connection: &Connection, rows: &[(i64, i64)]) -> Work<()> {
    let mut delete = connection.prepare_cached("delete from chore where file = ?1 and kind = ?2")?;
    for (file, kind) in rows {
        delete.execute([file, kind])?;
    }
    Ok(())
}

/// At most `max` chores after a row, oldest file first, its move before its unlink.
pub(in super::super) fn list(connection: &Connection, after: (i64, i64), max: usize) -> Work<Vec<Chore>> {
    let sql = "select kind, path from chore where (file, kind) > (?1, ?2) order by file, kind limit ?3";
    let mut list = connection.prepare_cached(sql)?;
    let mut rows = list.query(params![after.0, after.1, max as i64])?;
    let mut chores = Vec::new();
    while let Some(row) = rows.next()? {
        let path = DataPath::from_index(row.get(1)?)?;
        chores.push(match row.get::<_, i64>(0)? {
            0 => Chore::Place(path),
            1 => Chore::Remove(path),
            other => return Err(unknown(other).into()),
        });
    }
    Ok(chores)
}

/// Whether a commit still needs the staged file with that number: a chore or a part names it.
pub(in super::super) fn needs_staged(connection: &Connection, file: i64) -> Work<bool> {
    let sql = "select exists (select 1 from chore where file = ?1) or exists (select 1 from part where file = ?1)";
    Ok(connection.prepare_cached(sql)?.query_row([file], |row| row.get(0))?)
}

fn unknown(kind: i64) -> Error {
    Error::new(ErrorKind::Integrity, "INDEX_CORRUPT", format!("the index holds a chore of the unknown kind {kind}"))
}
