//! The index as a whole: emptied, kept beside itself, brought back. Rows of `engine` and `chore` are about the
//! directory and not about what is stored, and stay.
//!
//! Kept rows lie in a database of their own, attached as `snapshots`: a table `object_ID` for `object`, and so on for
//! every table there is, those of later scripts too.

use holdfast_sqlite::Work;
use holdfast_sqlite::rusqlite::Connection;

use super::super::data_path::{DataPath, id_of};

/// Files that rows name.
#[derive(Default)]
pub(in super::super) struct Files {
    /// Of objects and versions.
    pub(in super::super) placed: Vec<DataPath>,
    /// Of parts.
    pub(in super::super) staged: Vec<i64>,
}

/// Attaches the database of the kept rows; must be said outside any transaction. Twice is fine.
pub(in super::super) fn attach(connection: &Connection, path: &str) -> Work<()> {
    let sql = "select exists (select 1 from pragma_database_list where name = 'snapshots')";
    if connection.query_row(sql, [], |row| row.get(0))? {
        return Ok(());
    }
    connection.execute("attach database ?1 as snapshots", [path])?;
    // It is forgotten when the directory is closed: nothing in it has to survive anything.
    connection.execute_batch("pragma snapshots.journal_mode = memory; pragma snapshots.synchronous = off")?;
    Ok(())
}

/// Empties every table.
pub(in super::super) fn clear(connection: &Connection) -> Work<()> {
    for table in tables(connection)? {
        connection.execute(&format!("delete from main.{table}"), [])?;
    }
    Ok(())
}

/// Copies every row.
pub(in super::super) fn keep(connection: &Connection, snapshot: i64) -> Work<()> {
    let id = id_of(snapshot);
    for table in tables(connection)? {
        connection.execute(&format!("create table snapshots.{table}_{id} as select * from main.{table}"), [])?;
    }
    Ok(())
}

/// Puts the kept rows in the place of all others.
pub(in super::super) fn bring_back(connection: &Connection, snapshot: i64) -> Work<()> {
    clear(connection)?;
    let id = id_of(snapshot);
    for table in tables(connection)? {
        connection.execute(&format!("insert into main.{table} select * from snapshots.{table}_{id}"), [])?;
    }
    Ok(())
}

/// Forgets the kept rows.
pub(in super::super) fn forget(connection: &Connection, snapshot: i64) -> Work<()> {
    let id = id_of(snapshot);
    for table in tables(connection)? {
        connection.execute(&format!("drop table if exists snapshots.{table}_{id}"), [])?;
    }
    Ok(())
}

/// Whether rows are kept under that number.
pub(in super::super) fn exists(connection: &Connection, snapshot: i64) -> Work<bool> {
    let sql = "select exists (select 1 from pragma_table_list where schema = 'snapshots' and name = 'bucket_' || ?1)";
    Ok(connection.query_row(sql, [id_of(snapshot)], |row| row.get(0))?)
}

/// Visits every file that is stored now.
pub(in super::super) fn visit_files(
    connection: &Connection,
    mut placed: impl FnMut(DataPath) -> Work<()>,
    mut staged: impl FnMut(i64) -> Work<()>,
) -> Work<()> {
    let mut paths = connection.prepare(&paths("main.object", "main.version"))?;
    let mut rows = paths.query([])?;
    while let Some(row) = rows.next()? {
        placed(DataPath::from_index(row.get(0)?)?)?;
    }
    let mut files = connection.prepare("select file from main.part")?;
    let mut rows = files.query([])?;
    while let Some(row) = rows.next()? {
        staged(row.get(0)?)?;
    }
    Ok(())
}

/// The files that only the snapshot names, and those that only the present names.
pub(in super::super) fn differences(connection: &Connection, snapshot: i64) -> Work<(Files, Files)> {
    let id = id_of(snapshot);
    let (kept, now) = (
        (paths(&format!("snapshots.object_{id}"), &format!("snapshots.version_{id}")), format!("snapshots.part_{id}")),
        (paths("main.object", "main.version"), "main.part".to_owned()),
    );
    let only = |(paths, parts): &(String, String), (other_paths, other_parts): &(String, String)| -> Work<Files> {
        let mut list = connection.prepare(&format!("select * from ({paths}) except select * from ({other_paths})"))?;
        let placed = list
            .query_map([], |row| row.get::<_, String>(0))?
            .map(|path| Ok(DataPath::from_index(path?)?))
            .collect::<Work<_>>()?;
        let sql = format!("select file from {parts} except select file from {other_parts}");
        let staged = connection.prepare(&sql)?.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        Ok(Files { placed, staged })
    };
    Ok((only(&kept, &now)?, only(&now, &kept)?))
}

fn paths(object: &str, version: &str) -> String {
    format!("select path from {object} union all select path from {version} where path is not null")
}

fn tables(connection: &Connection) -> Work<Vec<String>> {
    let sql = "select name from main.sqlite_schema
               where type = 'table' and name not like 'sqlite\\_%' escape '\\' and name not in ('engine', 'chore')";
    let names = connection.prepare(sql)?.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(names)
}
