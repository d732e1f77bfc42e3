//! Rows of `bucket`.

use holdfast_sqlite::Work;
use holdfast_sqlite::rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::super::{BucketInfo, BucketsOf, Versioning};
use super::{TextBytes, loaded, range_end, stored};

const COLUMNS: &str = "name, region, created_at_ms, versioning, object_lock is not null, owner_id";

/// The number that stands for a bucket in other tables; never given twice.
pub(in super::super) fn id(connection: &Connection, name: &str) -> Work<Option<i64>> {
    let mut find = connection.prepare_cached("select id from bucket where name = ?1")?;
    Ok(find.query_row([name], |row| row.get(0)).optional()?)
}

/// A bucket's number, and what it keeps of what a write replaces or a delete removes.
#[derive(Clone, Copy)]
pub(in super::super) struct BucketState {
    pub(in super::super) id: i64,
    pub(in super::super) versioning: Versioning,
    pub(in super::super) has_object_lock: bool,
}

pub(in super::super) fn state(connection: &Connection, name: &str) -> Work<Option<BucketState>> {
    let mut find =
        connection.prepare_cached("select id, versioning, object_lock is not null from bucket where name = ?1")?;
    let read = |row: &Row<'_>| {
        Ok(BucketState { id: row.get(0)?, versioning: read_versioning(row, 1)?, has_object_lock: row.get(2)? })
    };
    Ok(find.query_row([name], read).optional()?)
}

/// Never back to `Never`: the bucket may hold versions.
pub(in super::super) fn set_versioning(connection: &Connection, id: i64, is_enabled: bool) -> Work<()> {
    connection
        .prepare_cached("update bucket set versioning = ?2 where id = ?1")?
        .execute(params![id, if is_enabled { "Enabled" } else { "Suspended" }])?;
    Ok(())
}

/// Never off again: the bucket may hold locked versions.
pub(in super::super) fn enable_object_lock(connection: &Connection, id: i64) -> Work<()> {
    connection.prepare_cached("update bucket set object_lock = 1 where id = ?1")?.execute([id])?;
    Ok(())
}

pub(in super::super) fn find(connection: &Connection, name: &str) -> Work<Option<BucketInfo>> {
    let mut find = connection.prepare_cached(&format!("select {COLUMNS} from bucket where name = ?1"))?;
    Ok(find.query_row([name], read).optional()?)
}

/// At most `max` buckets after a name, in order.
pub(in super::super) fn list(
    connection: &Connection,
    whose: &BucketsOf,
    after: &str,
    prefix: &str,
    max: usize,
) -> Work<Vec<BucketInfo>> {
    let (condition, owner) = match whose {
        BucketsOf::All => ("?5 is null", None),
        BucketsOf::OwnAccount => ("owner_id is null and ?5 is null", None),
        BucketsOf::Owner(id) => ("owner_id = ?5", Some(id)),
        BucketsOf::OwnAccountAnd(id) => ("(owner_id is null or owner_id = ?5)", Some(id)),
    };
    let sql = format!(
        "select {COLUMNS} from bucket
         where name > ?1 and name >= ?2 and name < ?3 and {condition} order by name limit ?4"
    );
    let mut list = connection.prepare_cached(&sql)?;
    let end = range_end(prefix);
    let rows = list.query_map(params![after, prefix, TextBytes(&end), stored(max as u64), owner], read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The names of all buckets.
pub(in super::super) fn names(connection: &Connection) -> Work<Vec<String>> {
    let mut list = connection.prepare_cached("select name from bucket order by name")?;
    Ok(list.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?)
}

/// Gives the number that stands for it.
pub(in super::super) fn insert(connection: &Connection, bucket: &BucketInfo) -> Work<i64> {
    let sql = "insert into bucket (name, region, created_at_ms, versioning, object_lock, owner_id)
               values (?1, ?2, ?3, ?4, ?5, ?6)";
    connection.prepare_cached(sql)?.execute(params![
        bucket.name,
        bucket.region,
        stored(bucket.created_at_ms),
        (bucket.versioning == Versioning::Enabled).then_some("Enabled"),
        bucket.has_object_lock.then_some(1),
        bucket.owner_id,
    ])?;
    Ok(connection.last_insert_rowid())
}

/// Forgets the bucket and its documents. Its uploads are aborted apart: nothing finds them any more, since
/// a bucket's number is never given again.
pub(in super::super) fn delete(connection: &Connection, id: i64) -> Work<()> {
    connection.prepare_cached("delete from document where bucket = ?1")?.execute([id])?;
    connection.prepare_cached("delete from bucket where id = ?1")?.execute([id])?;
    Ok(())
}

fn read(row: &Row<'_>) -> holdfast_sqlite::rusqlite::Result<BucketInfo> {
    Ok(BucketInfo {
        name: row.get(0)?,
        region: row.get(1)?,
        created_at_ms: loaded(row.get(2)?),
        versioning: read_versioning(row, 3)?,
        has_object_lock: row.get(4)?,
        owner_id: row.get(5)?,
    })
}

/// The column `versioning`; null where it was never on.
fn read_versioning(row: &Row<'_>, column: usize) -> holdfast_sqlite::rusqlite::Result<Versioning> {
    Ok(match row.get_ref(column)?.as_str_or_null()? {
        None => Versioning::Never,
        Some("Enabled") => Versioning::Enabled,
        Some(_) => Versioning::Suspended,
    })
}
