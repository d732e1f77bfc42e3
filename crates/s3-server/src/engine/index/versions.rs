//! Rows of `version`: what lies behind the objects of a plain listing. Older versions, and delete markers.

use holdfast_sqlite::Work;
use holdfast_sqlite::rusqlite::{Connection, OptionalExtension as _, Params, Row, params};

use super::super::data_path::DataPath;
use super::super::{ObjectInfo, ObjectLock, VersionId};
use super::chores::{self, Chore};
use super::objects::{self, read_lock, read_version};
use super::{TextBytes, loaded, stored};

/// Columns that `object` and `version` share: rows move from one to the other as they are.
const SHARED: &str = "bucket, key, sequence, version, path, size, modified_ms, etag, checksum, storage_class, owner,
    attributes, parts, tags, acl, lock, encryption";

/// A row of `version`.
pub(in super::super) struct Older {
    pub(in super::super) sequence: i64,
    pub(in super::super) version: VersionId,
    pub(in super::super) modified_ms: u64,
    /// Of an object; a delete marker has neither.
    pub(in super::super) object: Option<(String, DataPath)>,
    pub(in super::super) size: u64,
    pub(in super::super) lock: Option<ObjectLock>,
}

/// Copies the row of an object beside it: the caller replaces or deletes that row.
pub(in super::super) fn retire(connection: &Connection, bucket: i64, key: &str) -> Work<()> {
    let sql = format!("insert into version ({SHARED}) select {SHARED} from object where bucket = ?1 and key = ?2");
    connection.prepare_cached(&sql)?.execute(params![bucket, key])?;
    Ok(())
}

/// Makes the newest of a key's rows its object, unless that is a delete marker. The key has no object.
pub(in super::super) fn promote_newest(connection: &Connection, bucket: i64, key: &str) -> Work<()> {
    let Some(newest) = newest(connection, bucket, key)?.filter(|newest| newest.object.is_some()) else { return Ok(()) };
    let sql = format!(
        "insert into object ({SHARED}) select {SHARED} from version where bucket = ?1 and key = ?2 and sequence = ?3"
    );
    connection.prepare_cached(&sql)?.execute(params![bucket, key, newest.sequence])?;
    delete(connection, bucket, key, newest.sequence)
}

pub(in super::super) fn insert_marker(
    connection: &Connection,
    bucket: i64,
    key: &str,
    (sequence, version): (i64, VersionId),
    modified_ms: u64,
) -> Work<()> {
    let sql = "insert into version (bucket, key, sequence, version, size, modified_ms, etag)
               values (?1, ?2, ?3, ?4, 0, ?5, '')";
    let version = version.sequence().map(|_| version.to_string());
    connection.prepare_cached(sql)?.execute(params![bucket, key, sequence, version, stored(modified_ms)])?;
    Ok(())
}

pub(in super::super) fn delete(connection: &Connection, bucket: i64, key: &str, sequence: i64) -> Work<()> {
    connection
        .prepare_cached("delete from version where bucket = ?1 and key = ?2 and sequence = ?3")?
        .execute(params![bucket, key, sequence])?;
    Ok(())
}

/// Which of a key's rows is meant: ?1 is the bucket, ?2 the key, ?3 the version's number.
pub(super) fn condition(version: VersionId) -> &'static str {
    match version.sequence() {
        Some(_) => "bucket = ?1 and key = ?2 and sequence = ?3 and version is not null",
        None => "bucket = ?1 and key = ?2 and version is null and ?3 is null",
    }
}

pub(in super::super) fn find(
    connection: &Connection,
    bucket: i64,
    key: &str,
    version: VersionId,
) -> Work<Option<Older>> {
    one(connection, condition(version), params![bucket, key, version.sequence()])
}

/// The newest row of a key: a delete marker when the key has no object.
pub(in super::super) fn newest(connection: &Connection, bucket: i64, key: &str) -> Work<Option<Older>> {
    one(connection, "bucket = ?1 and key = ?2 order by sequence desc limit 1", params![bucket, key])
}

fn one(connection: &Connection, condition: &str, of: impl Params) -> Work<Option<Older>> {
    let sql = format!("select sequence, version, modified_ms, etag, path, size, lock from version where {condition}");
    let mut find = connection.prepare_cached(&sql)?;
    let mut rows = find.query(of)?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let path: Option<String> = row.get(4)?;
    let object = path.map(|path| Ok::<_, holdfast_sqlite::Failure>((row.get(3)?, DataPath::from_index(path)?)));
    Ok(Some(Older {
        sequence: row.get(0)?,
        version: read_version(row, 1)?.unwrap_or(VersionId::NULL),
        modified_ms: loaded(row.get(2)?),
        object: object.transpose()?,
        size: loaded(row.get(5)?),
        lock: read_lock(row, 6)?,
    }))
}

/// All that is known of an older version that is an object.
pub(in super::super) fn info(
    connection: &Connection,
    bucket: i64,
    key: &str,
    version: VersionId,
) -> Work<Option<(ObjectInfo, DataPath)>> {
    let sql = format!("select {} from version where path is not null and {}", objects::COLUMNS, condition(version));
    let mut find = connection.prepare_cached(&sql)?;
    let mut rows = find.query(params![bucket, key, version.sequence()])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let (mut info, path) = objects::read(key, row)?;
    info.version.get_or_insert(VersionId::NULL);
    Ok(Some((info, path)))
}

pub(in super::super) fn exist(connection: &Connection, bucket: i64) -> Work<bool> {
    let sql = "select exists (select 1 from version where bucket = ?1)";
    Ok(connection.prepare_cached(sql)?.query_row([bucket], |row| row.get(0))?)
}

/// Forgets all rows of a bucket, and owes the removal of their files.
pub(in super::super) fn owe_removal_of_all(connection: &Connection, bucket: i64) -> Work<()> {
    let mut paths = connection.prepare_cached("select path from version where bucket = ?1 and path is not null")?;
    let mut rows = paths.query([bucket])?;
    while let Some(row) = rows.next()? {
        chores::insert(connection, &Chore::Remove(DataPath::from_index(row.get(0)?)?))?;
    }
    connection.prepare_cached("delete from version where bucket = ?1")?.execute([bucket])?;
    Ok(())
}

/// Both tables as one list, by key, newest first; neither is sorted anew.
fn walk_sql(condition: &str) -> String {
    let columns = "key, size, etag, modified_ms, checksum, storage_class, owner, version, sequence";
    format!(
        "select {columns}, 1 as place from object where {condition}
         union all
         select {columns}, case when path is null then 3 else 2 end from version where {condition}
         order by key, sequence desc"
    )
}

/// Where a row of [`walk`] stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Place {
    /// In `object`.
    Object,
    /// In `version`.
    Older,
    /// In `version`, a delete marker.
    Marker,
}

/// A row of [`walk`]: its first seven columns are those of [`objects::listed`].
pub(in super::super) fn version_and_place(row: &Row<'_>) -> Work<(VersionId, Place)> {
    let place = match row.get::<_, i64>(9)? {
        1 => Place::Object,
        2 => Place::Older,
        _ => Place::Marker,
    };
    Ok((read_version(row, 7)?.unwrap_or(VersionId::NULL), place))
}

/// Walks all versions with `from <= key < end`, by key, newest first, until `visit` says stop (false).
pub(in super::super) fn walk(
    connection: &Connection,
    bucket: i64,
    (from, end): (&[u8], &[u8]),
    visit: impl FnMut(&str, &Row<'_>) -> Work<bool>,
) -> Work<()> {
    let sql = walk_sql("bucket = ?1 and key >= ?2 and key < ?3");
    visit_all(connection, &sql, params![bucket, TextBytes(from), TextBytes(end)], visit)
}

/// As [`walk`], only over one key's versions that are older than a number.
pub(in super::super) fn walk_older(
    connection: &Connection,
    (bucket, key): (i64, &str),
    than: i64,
    visit: impl FnMut(&str, &Row<'_>) -> Work<bool>,
) -> Work<()> {
    let sql = walk_sql("bucket = ?1 and key = ?2 and sequence < ?3");
    visit_all(connection, &sql, params![bucket, key, than], visit)
}

fn visit_all(
    connection: &Connection,
    sql: &str,
    of: impl Params,
    mut visit: impl FnMut(&str, &Row<'_>) -> Work<bool>,
) -> Work<()> {
    let mut walk = connection.prepare_cached(sql)?;
    let mut rows = walk.query(of)?;
    while let Some(row) = rows.next()? {
        let key = row.get_ref(0)?.as_str().map_err(|_| objects::corrupt("key"))?;
        if !visit(key, row)? {
            break;
        }
    }
    Ok(())
}

/// The number of the commit that wrote a key's null version.
pub(in super::super) fn null_sequence(connection: &Connection, bucket: i64, key: &str) -> Work<Option<i64>> {
    let sql = "select sequence from object where bucket = ?1 and key = ?2 and version is null
               union all
               select sequence from version where bucket = ?1 and key = ?2 and version is null";
    Ok(connection.prepare_cached(sql)?.query_row(params![bucket, key], |row| row.get(0)).optional()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(sql: &str, of: impl Params) -> Vec<String> {
        let connection = Connection::open_in_memory().unwrap();
        for script in super::super::SCHEMA.scripts {
            connection.execute_batch(script).unwrap();
        }
        let mut explain = connection.prepare(&format!("explain query plan {sql}")).unwrap();
        explain.query_map(of, |row| row.get(3)).unwrap().collect::<Result<_, _>>().unwrap()
    }

    #[test]
    fn a_page_is_two_ranges_of_primary_keys_and_sorts_nothing() {
        let pages = plan(&walk_sql("bucket = ?1 and key >= ?2 and key < ?3"), params![1, "a", "b"]);
        let rest = plan(&walk_sql("bucket = ?1 and key = ?2 and sequence < ?3"), params![1, "a", 7]);
        for plan in [pages, rest] {
            assert_eq!(plan.iter().filter(|step| step.contains("USING PRIMARY KEY")).count(), 2, "{plan:?}");
            assert!(plan.iter().all(|step| !step.contains("TEMP B-TREE")), "{plan:?}");
        }
    }

    #[test]
    fn the_null_version_is_found_by_an_index_however_many_there_are() {
        let sql = format!("select 1 from version where {}", condition(VersionId::NULL));
        let plan = plan(&sql, params![1, "a", None::<i64>]);
        assert!(plan.iter().any(|step| step.contains("null_version")), "{plan:?}");
    }
}
