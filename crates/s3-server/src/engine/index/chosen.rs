//! The row that a request names: the object of a key, or an older version of it.

use holdfast_sqlite::Work;
use holdfast_sqlite::rusqlite::{Connection, Params, ToSql, params};

use super::super::{ObjectLock, VersionId};
use super::objects::{lock_text, read_lock, read_version};
use super::versions;

/// A row that is an object, in the table that holds it now; what it says may be changed where it lies.
pub(in super::super) struct Chosen {
    table: &'static str,
    sequence: i64,
    pub(in super::super) version: VersionId,
    pub(in super::super) owner: Option<String>,
    pub(in super::super) lock: Option<ObjectLock>,
}

impl Chosen {
    /// The version of that id; without one, the key's object. A delete marker is none.
    pub(in super::super) fn find(
        connection: &Connection,
        bucket: i64,
        key: &str,
        version: Option<VersionId>,
    ) -> Work<Option<Self>> {
        let present = Self::one(connection, "object", "bucket = ?1 and key = ?2", params![bucket, key])?;
        let Some(wanted) = version else { return Ok(present) };
        if present.as_ref().is_some_and(|present| present.version == wanted) {
            return Ok(present);
        }
        Self::one(connection, "version", versions::condition(wanted), params![bucket, key, wanted.sequence()])
    }

    fn one(connection: &Connection, table: &'static str, condition: &str, of: impl Params) -> Work<Option<Self>> {
        let sql = format!("select sequence, version, owner, lock from {table} where path is not null and {condition}");
        let mut find = connection.prepare_cached(&sql)?;
        let mut rows = find.query(of)?;
        let Some(row) = rows.next()? else { return Ok(None) };
        Ok(Some(Self {
            table,
            sequence: row.get(0)?,
            version: read_version(row, 1)?.unwrap_or(VersionId::NULL),
            owner: row.get(2)?,
            lock: read_lock(row, 3)?,
        }))
    }

    pub(in super::super) fn set_acl(&self, connection: &Connection, place: (i64, &str), acl: Option<&str>) -> Work<()> {
        self.set(connection, place, "acl", &acl)
    }

    pub(in super::super) fn set_tags(
        &self,
        connection: &Connection,
        place: (i64, &str),
        tags: Option<&str>,
    ) -> Work<()> {
        self.set(connection, place, "tags", &tags)
    }

    pub(in super::super) fn set_lock(
        &self,
        connection: &Connection,
        place: (i64, &str),
        lock: Option<ObjectLock>,
    ) -> Work<()> {
        self.set(connection, place, "lock", &lock_text(lock)?)
    }

    fn set(&self, connection: &Connection, (bucket, key): (i64, &str), column: &str, value: &dyn ToSql) -> Work<()> {
        let sql = format!("update {} set {column} = ?4 where bucket = ?1 and key = ?2 and sequence = ?3", self.table);
        connection.prepare_cached(&sql)?.execute(params![bucket, key, self.sequence, value])?;
        Ok(())
    }
}
