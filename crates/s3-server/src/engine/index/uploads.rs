//! Rows of `upload`.

use holdfast_sqlite::Work;
use holdfast_sqlite::rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::super::UploadInfo;
use super::objects::{checksum_text, encryption_text, lock_text, pairs_text, read_attributes, tags_text};
use super::{TextBytes, loaded, stored};

/// An upload and the number that stands for it in `part`.
pub(in super::super) struct StoredUpload {
    pub(in super::super) number: i64,
    pub(in super::super) info: UploadInfo,
}

/// Columns as [`read`] takes them; uploads have no ETag.
const COLUMNS: &str = "number, key, id, initiated_at_ms, '', checksum, storage_class, owner, attributes, tags,
    acl, lock, encryption";

pub(in super::super) fn insert(connection: &Connection, bucket: i64, upload: &StoredUpload) -> Work<()> {
    let sql =
        "insert into upload (bucket, key, id, number, initiated_at_ms, checksum, storage_class, owner, attributes, tags,
                   acl, lock, encryption)
               values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";
    let StoredUpload { number, info } = upload;
    connection.prepare_cached(sql)?.execute(params![
        bucket,
        info.key,
        info.id,
        number,
        stored(info.initiated_at_ms),
        info.attributes.checksum.as_ref().map(checksum_text),
        info.attributes.storage_class,
        info.attributes.owner,
        pairs_text(&info.attributes)?,
        tags_text(&info.attributes.tags)?,
        info.attributes.acl,
        lock_text(info.attributes.lock)?,
        encryption_text(&info.attributes)?,
    ])?;
    Ok(())
}

pub(in super::super) fn find(connection: &Connection, bucket: i64, key: &str, id: &str) -> Work<Option<StoredUpload>> {
    let sql = format!("select {COLUMNS} from upload where bucket = ?1 and key = ?2 and id = ?3");
    let mut find = connection.prepare_cached(&sql)?;
    let mut rows = find.query(params![bucket, key, id])?;
    rows.next()?.map(read).transpose()
}

/// Only the number; cheaper than [`find`].
pub(in super::super) fn number(connection: &Connection, bucket: i64, key: &str, id: &str) -> Work<Option<i64>> {
    let mut find = connection.prepare_cached("select number from upload where bucket = ?1 and key = ?2 and id = ?3")?;
    Ok(find.query_row(params![bucket, key, id], |row| row.get(0)).optional()?)
}

/// Forgets the upload; its parts are forgotten apart.
pub(in super::super) fn delete(connection: &Connection, number: i64) -> Work<()> {
    connection.prepare_cached("delete from upload where number = ?1")?.execute([number])?;
    Ok(())
}

/// At most `max` numbers of uploads begun before a time, oldest first.
pub(in super::super) fn begun_before(connection: &Connection, before_ms: u64, max: usize) -> Work<Vec<i64>> {
    let sql = "select number from upload where initiated_at_ms < ?1 order by initiated_at_ms limit ?2";
    let mut list = connection.prepare_cached(sql)?;
    let rows = list.query_map(params![stored(before_ms), stored(max as u64)], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// At most `max` numbers of a bucket's uploads.
pub(in super::super) fn of_bucket(connection: &Connection, bucket: i64, max: usize) -> Work<Vec<i64>> {
    let mut list = connection.prepare_cached("select number from upload where bucket = ?1 limit ?2")?;
    let rows = list.query_map(params![bucket, stored(max as u64)], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Walks the uploads behind `(key, id)` with `key < end`, by key and age, until `visit` says stop (false).
pub(in super::super) fn walk(
    connection: &Connection,
    bucket: i64,
    (key, id): (&[u8], &str),
    end: &[u8],
    mut visit: impl FnMut(UploadInfo) -> bool,
) -> Work<()> {
    let sql = format!(
        "select {COLUMNS} from upload where bucket = ?1 and (key, id) > (?2, ?3) and key < ?4 order by key, id"
    );
    let mut walk = connection.prepare_cached(&sql)?;
    let mut rows = walk.query(params![bucket, TextBytes(key), id, TextBytes(end)])?;
    while let Some(row) = rows.next()? {
        if !visit(read(row)?.info) {
            break;
        }
    }
    Ok(())
}

fn read(row: &Row<'_>) -> Work<StoredUpload> {
    let attributes = read_attributes(row, 4)?;
    let info = UploadInfo { key: row.get(1)?, id: row.get(2)?, initiated_at_ms: loaded(row.get(3)?), attributes };
    Ok(StoredUpload { number: row.get(0)?, info })
}
