//! All versions of a bucket with what decides whether they end.

use holdfast_sqlite::Work;
use holdfast_sqlite::rusqlite::{Connection, OptionalExtension as _, Params, Row, params};

use super::super::{VersionCursor, VersionId, WalkedVersion};
use super::objects::{corrupt, read_lock, read_tags, read_version};
use super::{TextBytes, loaded, stored};

/// Both tables as one list, by key, newest first; neither is sorted anew.
fn walk_sql(condition: &str) -> String {
    let columns = "key, sequence, version, size, modified_ms, tags, lock";
    format!(
        "select {columns}, 0 as is_marker from object where {condition}
         union all
         select {columns}, path is null from version where {condition}
         order by key, sequence desc limit ?4"
    )
}

const REST_OF_A_KEY: &str = "bucket = ?1 and key = ?2 and sequence < ?3";
const LATER_KEYS: &str = "bucket = ?1 and key >= ?2 and ?3 is null";

/// At most `max` versions behind a cursor, by key, newest first.
pub(in super::super) fn page(
    connection: &Connection,
    bucket: i64,
    after: Option<&VersionCursor>,
    max: usize,
) -> Work<Vec<WalkedVersion>> {
    let mut found = Vec::new();
    let mut from = Vec::new();
    if let Some(after) = after {
        let of = params![bucket, after.key, after.sequence, stored(max as u64)];
        read_all(connection, REST_OF_A_KEY, of, &mut found)?;
        from = [after.key.as_bytes(), b"\0"].concat(); // the next key in byte order
    }
    if found.len() < max {
        let left = stored((max - found.len()) as u64);
        read_all(connection, LATER_KEYS, params![bucket, TextBytes(&from), None::<i64>, left], &mut found)?;
    }
    Ok(found)
}

/// The number of the commit that wrote a key's object.
pub(in super::super) fn object_sequence(connection: &Connection, bucket: i64, key: &str) -> Work<Option<i64>> {
    let mut find = connection.prepare_cached("select sequence from object where bucket = ?1 and key = ?2")?;
    Ok(find.query_row(params![bucket, key], |row| row.get(0)).optional()?)
}

/// Whether a key has that row in `version`.
pub(in super::super) fn is_older(connection: &Connection, bucket: i64, at: &VersionCursor) -> Work<bool> {
    let sql = "select exists (select 1 from version where bucket = ?1 and key = ?2 and sequence = ?3)";
    Ok(connection.prepare_cached(sql)?.query_row(params![bucket, at.key, at.sequence], |row| row.get(0))?)
}

/// The newest and the oldest number of a key's rows in `version`.
pub(in super::super) fn older_sequences(connection: &Connection, bucket: i64, key: &str) -> Work<Option<(i64, i64)>> {
    // Each a look at one end of the key's range, however many versions there are.
    let sql = "select (select max(sequence) from version where bucket = ?1 and key = ?2),
                      (select min(sequence) from version where bucket = ?1 and key = ?2)";
    let read = |row: &Row<'_>| Ok((row.get::<_, Option<i64>>(0)?, row.get::<_, Option<i64>>(1)?));
    let (newest, oldest) = connection.prepare_cached(sql)?.query_row(params![bucket, key], read)?;
    Ok(newest.zip(oldest))
}

fn read_all(connection: &Connection, condition: &str, of: impl Params, into: &mut Vec<WalkedVersion>) -> Work<()> {
    let mut walk = connection.prepare_cached(&walk_sql(condition))?;
    let mut rows = walk.query(of)?;
    while let Some(row) = rows.next()? {
        into.push(read(row)?);
    }
    Ok(())
}

fn read(row: &Row<'_>) -> Work<WalkedVersion> {
    let key = row.get_ref(0)?.as_str().map_err(|_| corrupt("key"))?.to_owned();
    let is_marker: bool = row.get(7)?;
    let object = if is_marker { None } else { Some((loaded(row.get(3)?), read_tags(row, 5)?)) };
    Ok(WalkedVersion {
        at: VersionCursor { key, sequence: row.get(1)? },
        version: read_version(row, 2)?.unwrap_or(VersionId::NULL),
        modified_ms: loaded(row.get(4)?),
        object,
        lock: read_lock(row, 6)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_two_ranges_of_primary_keys_and_sorts_nothing() {
        let connection = Connection::open_in_memory().unwrap();
        super::super::SCHEMA.scripts.iter().for_each(|script| connection.execute_batch(script).unwrap());
        for condition in [REST_OF_A_KEY, LATER_KEYS] {
            let mut explain = connection.prepare(&format!("explain query plan {}", walk_sql(condition))).unwrap();
            let plan = explain.query_map(params![1, "a", 7, 1000], |row| row.get(3)).unwrap();
            let plan: Vec<String> = plan.collect::<Result<_, _>>().unwrap();
            assert_eq!(plan.iter().filter(|step| step.contains("USING PRIMARY KEY")).count(), 2, "{plan:?}");
            assert!(plan.iter().all(|step| !step.contains("TEMP B-TREE")), "{plan:?}");
        }
    }
}
