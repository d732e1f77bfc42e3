//! Rows of `object`.

use holdfast_base::{Error, ErrorKind};
use holdfast_sqlite::Work;
use holdfast_sqlite::rusqlite::types::ValueRef;
use holdfast_sqlite::rusqlite::{Connection, Row, params};
use serde::{Deserialize, Serialize};

use super::super::data_path::DataPath;
use super::super::{
    Checksum, ChecksumKind, Encryption, ListedObject, ObjectAttributes, ObjectInfo, ObjectLock, VersionId,
};
use super::chores::{self, Chore};
use super::{TextBytes, loaded, stored};

/// What a write has to know of the object that it replaces.
pub(in super::super) struct Present {
    pub(in super::super) etag: String,
    pub(in super::super) path: DataPath,
    pub(in super::super) size: u64,
    pub(in super::super) modified_ms: u64,
    pub(in super::super) version: VersionId,
    pub(in super::super) lock: Option<ObjectLock>,
}

pub(in super::super) fn present(connection: &Connection, bucket: i64, key: &str) -> Work<Option<Present>> {
    let sql = "select etag, path, size, version, lock, modified_ms from object where bucket = ?1 and key = ?2";
    let mut find = connection.prepare_cached(sql)?;
    let mut rows = find.query(params![bucket, key])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    Ok(Some(Present {
        etag: row.get(0)?,
        path: DataPath::from_index(row.get(1)?)?,
        size: loaded(row.get(2)?),
        modified_ms: loaded(row.get(5)?),
        version: read_version(row, 3)?.unwrap_or(VersionId::NULL),
        lock: read_lock(row, 4)?,
    }))
}

/// Columns as [`read`] takes them; `version` has the same.
pub(super) const COLUMNS: &str = "path, version, size, modified_ms, parts, etag, checksum, storage_class, owner,
    attributes, tags, acl, lock, encryption";

fn find_sql() -> String {
    format!("select {COLUMNS}, versioning from bucket join object on bucket = bucket.id where name = ?1 and key = ?2")
}

/// The object of a key in the bucket of a name; `None` also when there is no such bucket.
pub(in super::super) fn find(connection: &Connection, bucket: &str, key: &str) -> Work<Option<(ObjectInfo, DataPath)>> {
    let mut find = connection.prepare_cached(&find_sql())?;
    let mut rows = find.query(params![bucket, key])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let (mut info, path) = read(key, row)?;
    if !matches!(row.get_ref(14)?, ValueRef::Null) {
        info.version.get_or_insert(VersionId::NULL);
    }
    Ok(Some((info, path)))
}

/// A row of [`COLUMNS`]. The null version has no id yet.
pub(super) fn read(key: &str, row: &Row<'_>) -> Work<(ObjectInfo, DataPath)> {
    let parts: Option<&str> = row.get_ref(4)?.as_str_or_null().map_err(|_| corrupt("parts"))?;
    let info = ObjectInfo {
        key: key.to_owned(),
        version: read_version(row, 1)?,
        size: loaded(row.get(2)?),
        last_modified_ms: loaded(row.get(3)?),
        attributes: read_attributes(row, 5)?,
        parts: parts.map_or(Ok(Vec::new()), serde_json::from_str).map_err(|_| corrupt("parts"))?,
    };
    Ok((info, DataPath::from_index(row.get(0)?)?))
}

/// The column `version`: null for the null version.
pub(super) fn read_version(row: &Row<'_>, column: usize) -> Work<Option<VersionId>> {
    let text = row.get_ref(column)?.as_str_or_null().map_err(|_| corrupt("version"))?;
    Ok(text.map(|text| VersionId::read(text).ok_or_else(|| corrupt("version"))).transpose()?)
}

/// Puts the row, over the one that the key has.
pub(in super::super) fn put(
    connection: &Connection,
    bucket: i64,
    sequence: i64,
    info: &ObjectInfo,
    path: &DataPath,
) -> Work<()> {
    let sql = "insert or replace into object (bucket, key, sequence, version, path, size, modified_ms, etag,
                   checksum, storage_class, owner, attributes, parts, tags, acl, lock, encryption)
               values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)";
    let parts = (!info.parts.is_empty()).then(|| serde_json::to_string(&info.parts)).transpose();
    let attributes = &info.attributes;
    connection.prepare_cached(sql)?.execute(params![
        bucket,
        info.key,
        sequence,
        info.version.and_then(VersionId::sequence).and(info.version).map(|id| id.to_string()),
        path.as_str(),
        stored(info.size),
        stored(info.last_modified_ms),
        attributes.etag,
        attributes.checksum.as_ref().map(checksum_text),
        attributes.storage_class,
        attributes.owner,
        pairs_text(attributes)?,
        parts.map_err(|_| corrupt("parts"))?,
        tags_text(&attributes.tags)?,
        attributes.acl,
        lock_text(attributes.lock)?,
        encryption_text(attributes)?,
    ])?;
    Ok(())
}

pub(in super::super) fn delete(connection: &Connection, bucket: i64, key: &str) -> Work<()> {
    connection.prepare_cached("delete from object where bucket = ?1 and key = ?2")?.execute(params![bucket, key])?;
    Ok(())
}

/// Forgets all objects of a bucket, and owes the removal of their files.
pub(in super::super) fn owe_removal_of_all(connection: &Connection, bucket: i64) -> Work<()> {
    let mut paths = connection.prepare_cached("select path from object where bucket = ?1")?;
    let mut rows = paths.query([bucket])?;
    while let Some(row) = rows.next()? {
        chores::insert(connection, &Chore::Remove(DataPath::from_index(row.get(0)?)?))?;
    }
    connection.prepare_cached("delete from object where bucket = ?1")?.execute([bucket])?;
    Ok(())
}

/// Whether the bucket holds any object.
pub(in super::super) fn exist(connection: &Connection, bucket: i64) -> Work<bool> {
    let sql = "select exists (select 1 from object where bucket = ?1)";
    Ok(connection.prepare_cached(sql)?.query_row([bucket], |row| row.get(0))?)
}

const WALK: &str = "select key, size, etag, modified_ms, checksum, storage_class, owner
                    from object where bucket = ?1 and key >= ?2 and key < ?3 order by key";

/// Walks the objects with `from <= key < end` in byte order until `visit` says stop (false).
pub(in super::super) fn walk(
    connection: &Connection,
    bucket: i64,
    from: &[u8],
    end: &[u8],
    mut visit: impl FnMut(&str, &Row<'_>) -> Work<bool>,
) -> Work<()> {
    let mut walk = connection.prepare_cached(WALK)?;
    let mut rows = walk.query(params![bucket, TextBytes(from), TextBytes(end)])?;
    while let Some(row) = rows.next()? {
        let key = row.get_ref(0)?.as_str().map_err(|_| corrupt("key"))?;
        if !visit(key, row)? {
            break;
        }
    }
    Ok(())
}

/// The object of a row of [`walk`].
pub(in super::super) fn listed(key: &str, row: &Row<'_>) -> Work<ListedObject> {
    Ok(ListedObject {
        key: key.to_owned(),
        size: loaded(row.get(1)?),
        etag: row.get(2)?,
        last_modified_ms: loaded(row.get(3)?),
        checksum: read_checksum(row, 4)?,
        storage_class: row.get(5)?,
        owner: row.get(6)?,
    })
}

/// `etag, checksum, storage_class, owner, attributes, tags, acl, lock, encryption` of a row, from a column on.
pub(in super::super) fn read_attributes(row: &Row<'_>, first: usize) -> Work<ObjectAttributes> {
    let pairs: Option<&str> = row.get_ref(first + 4)?.as_str_or_null().map_err(|_| corrupt("attributes"))?;
    let pairs: Pairs = pairs.map_or(Ok(Pairs::default()), serde_json::from_str).map_err(|_| corrupt("attributes"))?;
    Ok(ObjectAttributes {
        etag: row.get(first)?,
        headers: pairs.headers,
        metadata: pairs.metadata,
        checksum: read_checksum(row, first + 1)?,
        storage_class: row.get(first + 2)?,
        owner: row.get(first + 3)?,
        tags: read_tags(row, first + 5)?,
        acl: row.get(first + 6)?,
        lock: read_lock(row, first + 7)?,
        encryption: read_encryption(row, first + 8)?,
        upload: pairs.upload,
    })
}

/// The column `encryption`.
pub(in super::super) fn encryption_text(attributes: &ObjectAttributes) -> Work<Option<String>> {
    let text = |encryption: &Encryption| encryption.text().ok_or_else(|| corrupt("encryption"));
    Ok(attributes.encryption.as_ref().map(text).transpose()?)
}

fn read_encryption(row: &Row<'_>, column: usize) -> Work<Option<Encryption>> {
    let text = row.get_ref(column)?.as_str_or_null().map_err(|_| corrupt("encryption"))?;
    Ok(text.map(|text| Encryption::read(text).ok_or_else(|| corrupt("encryption"))).transpose()?)
}

/// Whether anything is encrypted with the master key or one of its ring. Looks at every row.
pub(in super::super) fn need_master_key(connection: &Connection) -> Work<bool> {
    Ok(connection.query_row(NEED_MASTER_KEY, [], |row| row.get(0))?)
}

const NEED_MASTER_KEY: &str = "select exists (
    select 1 from (select encryption from object union all select encryption from version
                   union all select encryption from upload)
    where json_extract(encryption, '$.by') in ('s3', 'kms'))";

pub(super) fn read_tags(row: &Row<'_>, column: usize) -> Work<Vec<(String, String)>> {
    let tags: Option<&str> = row.get_ref(column)?.as_str_or_null().map_err(|_| corrupt("tags"))?;
    Ok(tags.map_or(Ok(Vec::new()), serde_json::from_str).map_err(|_| corrupt("tags"))?)
}

/// The column `tags`: an array of pairs; null when there are none.
pub(in super::super) fn tags_text(tags: &[(String, String)]) -> Work<Option<String>> {
    let text = (!tags.is_empty()).then(|| serde_json::to_string(tags)).transpose();
    Ok(text.map_err(|_| corrupt("tags"))?)
}

/// The column `lock`; null where nothing was ever locked.
pub(super) fn read_lock(row: &Row<'_>, column: usize) -> Work<Option<ObjectLock>> {
    let lock = row.get_ref(column)?.as_str_or_null().map_err(|_| corrupt("lock"))?;
    Ok(lock.map(serde_json::from_str).transpose().map_err(|_| corrupt("lock"))?)
}

/// The same, as it is stored.
pub(in super::super) fn lock_text(lock: Option<ObjectLock>) -> Work<Option<String>> {
    Ok(lock.map(|lock| serde_json::to_string(&lock)).transpose().map_err(|_| corrupt("lock"))?)
}

/// What the column `attributes` holds; null when all is empty.
#[derive(Default, Serialize, Deserialize)]
struct Pairs {
    #[serde(rename = "h", default, skip_serializing_if = "Vec::is_empty")]
    headers: Vec<(String, String)>,
    #[serde(rename = "m", default, skip_serializing_if = "Vec::is_empty")]
    metadata: Vec<(String, String)>,
    #[serde(rename = "u", default, skip_serializing_if = "Option::is_none")]
    upload: Option<String>,
}

/// The column `attributes`.
pub(in super::super) fn pairs_text(attributes: &ObjectAttributes) -> Work<Option<String>> {
    if attributes.headers.is_empty() && attributes.metadata.is_empty() && attributes.upload.is_none() {
        return Ok(None);
    }
    let pairs = Pairs {
        headers: attributes.headers.clone(),
        metadata: attributes.metadata.clone(),
        upload: attributes.upload.clone(),
    };
    Ok(Some(serde_json::to_string(&pairs).map_err(|_| corrupt("attributes"))?))
}

/// The column `checksum`: algorithm, kind and value with a space between.
pub(in super::super) fn checksum_text(checksum: &Checksum) -> String {
    let kind = match checksum.kind {
        ChecksumKind::FullObject => "FULL_OBJECT",
        ChecksumKind::Composite => "COMPOSITE",
    };
    format!("{} {kind} {}", checksum.algorithm, checksum.value)
}

pub(in super::super) fn read_checksum(row: &Row<'_>, column: usize) -> Work<Option<Checksum>> {
    let Some(text) = row.get_ref(column)?.as_str_or_null().map_err(|_| corrupt("checksum"))? else {
        return Ok(None);
    };
    let mut words = text.splitn(3, ' ');
    let (Some(algorithm), Some(kind), Some(value)) = (words.next(), words.next(), words.next()) else {
        return Err(corrupt("checksum").into());
    };
    let kind = match kind {
        "FULL_OBJECT" => ChecksumKind::FullObject,
        "COMPOSITE" => ChecksumKind::Composite,
        _ => return Err(corrupt("checksum").into()),
    };
    Ok(Some(Checksum { algorithm: algorithm.to_owned(), kind, value: value.to_owned() }))
}

pub(super) fn corrupt(column: &str) -> Error {
    let message = format!("the index holds an object whose {column} can't be read; restore the index from a backup");
    Error::new(ErrorKind::Integrity, "INDEX_CORRUPT", message)
}

#[cfg(test)]
mod tests {
    use holdfast_sqlite::Settings;
    use holdfast_sqlite::rusqlite::{Params, StatementStatus};

    use super::*;

    fn plan(sql: &str, of: impl Params) -> Vec<String> {
        let connection = Connection::open_in_memory().unwrap();
        super::super::SCHEMA.scripts.iter().for_each(|script| connection.execute_batch(script).unwrap());
        let mut explain = connection.prepare(&format!("explain query plan {sql}")).unwrap();
        explain.query_map(of, |row| row.get(3)).unwrap().collect::<Result<_, _>>().unwrap()
    }

    #[test]
    fn a_page_is_a_range_of_the_primary_key_and_sorts_nothing() {
        let plan = plan(WALK, params![1, TextBytes(b"a"), TextBytes(b"b")]);
        assert_eq!(plan, ["SEARCH object USING PRIMARY KEY (bucket=? AND key>? AND key<?)"]);
    }

    #[test]
    fn an_object_is_found_by_two_keys() {
        let [bucket, object] = &plan(&find_sql(), params!["bucket", "key"])[..] else { panic!("two searches") };
        assert!(bucket.starts_with("SEARCH bucket USING") && bucket.ends_with("(name=?)"), "{bucket}");
        assert_eq!(object, "SEARCH object USING PRIMARY KEY (bucket=? AND key=?)");
    }

    #[test]
    fn finding_an_object_prepares_its_statement_once_whatever_is_asked_for() {
        let settings = Settings { has_stable_plans: true, ..Settings::in_memory() };
        let connection = settings.connect_writer().unwrap();
        super::super::SCHEMA.scripts.iter().for_each(|script| connection.execute_batch(script).unwrap());
        connection
            .execute_batch(
                "insert into bucket (name, region, created_at_ms) values ('b', 'r', 0);
                 insert into object (bucket, key, sequence, path, size, modified_ms, etag)
                 select bucket.id, key, 1, 'b/' || key || '@0000000000001', 1, 1, 'e'
                 from bucket, (select 'one' as key union select 'two')",
            )
            .unwrap();
        for key in ["one", "two", "one", "three"] {
            let _ = find(&connection, "b", key);
        }
        let statement = connection.prepare_cached(&find_sql()).unwrap();
        assert!(statement.get_status(StatementStatus::Run) >= 4, "the statement is kept");
        assert_eq!(statement.get_status(StatementStatus::RePrepare), 0);
    }
}
