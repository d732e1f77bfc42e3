//! Rows of `part`. Their files stay in the staging folder under their numbers.

use holdfast_sqlite::Work;
use holdfast_sqlite::rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::super::{PartAttributes, PartInfo};
use super::objects::{checksum_text, read_checksum};
use super::{loaded, stored};

/// A part and the number of its file.
pub(in super::super) struct StoredPart {
    pub(in super::super) file: i64,
    pub(in super::super) info: PartInfo,
}

const COLUMNS: &str = "file, number, size, modified_ms, etag, checksum";

/// Puts the row; gives the number of the file that it replaces.
pub(in super::super) fn put(connection: &Connection, upload: i64, part: &StoredPart) -> Work<Option<i64>> {
    let StoredPart { file, info } = part;
    let mut find = connection.prepare_cached("select file from part where upload = ?1 and number = ?2")?;
    let replaced = find.query_row(params![upload, info.number], |row| row.get(0)).optional()?;
    let sql = "insert or replace into part (upload, number, file, size, modified_ms, etag, checksum)
               values (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    connection.prepare_cached(sql)?.execute(params![
        upload,
        info.number,
        file,
        stored(info.size),
        stored(info.last_modified_ms),
        info.attributes.etag,
        info.attributes.checksum.as_ref().map(checksum_text),
    ])?;
    Ok(replaced)
}

pub(in super::super) fn find(connection: &Connection, upload: i64, number: u16) -> Work<Option<StoredPart>> {
    let sql = format!("select {COLUMNS} from part where upload = ?1 and number = ?2");
    let mut find = connection.prepare_cached(&sql)?;
    let mut rows = find.query(params![upload, number])?;
    rows.next()?.map(read).transpose()
}

/// At most `max` parts after a number, in order.
pub(in super::super) fn list(connection: &Connection, upload: i64, after: u16, max: usize) -> Work<Vec<PartInfo>> {
    let sql = format!("select {COLUMNS} from part where upload = ?1 and number > ?2 order by number limit ?3");
    let mut list = connection.prepare_cached(&sql)?;
    let mut rows = list.query(params![upload, after, stored(max as u64)])?;
    let mut parts = Vec::new();
    while let Some(row) = rows.next()? {
        parts.push(read(row)?.info);
    }
    Ok(parts)
}

/// The files of an upload's parts, at most 10,000.
pub(in super::super) fn files(connection: &Connection, upload: i64) -> Work<Vec<i64>> {
    let mut list = connection.prepare_cached("select file from part where upload = ?1 order by number")?;
    let rows = list.query_map([upload], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Forgets an upload's parts.
pub(in super::super) fn delete(connection: &Connection, upload: i64) -> Work<()> {
    connection.prepare_cached("delete from part where upload = ?1")?.execute([upload])?;
    Ok(())
}

fn read(row: &Row<'_>) -> Work<StoredPart> {
    let attributes = PartAttributes { etag: row.get(4)?, checksum: read_checksum(row, 5)? };
    let info =
        PartInfo { number: row.get(1)?, size: loaded(row.get(2)?), last_modified_ms: loaded(row.get(3)?), attributes };
    Ok(StoredPart { file: row.get(0)?, info })
}
