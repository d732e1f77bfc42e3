//! Rows of `document`: what is set on a bucket as a whole.

use std::collections::HashMap;

use holdfast_sqlite::Work;
use holdfast_sqlite::rusqlite::{Connection, OptionalExtension as _, params};

pub(in super::super) fn find(connection: &Connection, bucket: i64, name: &str) -> Work<Option<String>> {
    let mut find = connection.prepare_cached("select body from document where bucket = ?1 and name = ?2")?;
    Ok(find.query_row(params![bucket, name], |row| row.get(0)).optional()?)
}

pub(in super::super) fn all(connection: &Connection, bucket: i64) -> Work<HashMap<String, String>> {
    let mut list = connection.prepare_cached("select name, body from document where bucket = ?1")?;
    let rows = list.query_map([bucket], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(in super::super) fn set(connection: &Connection, bucket: i64, name: &str, body: &str) -> Work<()> {
    connection
        .prepare_cached("insert or replace into document (bucket, name, body) values (?1, ?2, ?3)")?
        .execute(params![bucket, name, body])?;
    Ok(())
}

pub(in super::super) fn delete(connection: &Connection, bucket: i64, name: &str) -> Work<bool> {
    let mut delete = connection.prepare_cached("delete from document where bucket = ?1 and name = ?2")?;
    Ok(delete.execute(params![bucket, name])? > 0)
}
