//! The index: what SQLite knows. Statements only; what may happen is decided by the callers.
//!
//! Invariants: keys compare as UTF-8 bytes (`BINARY` on text); `object` holds exactly the objects that a
//! plain listing shows, so that a page is a range of its primary key; `version` holds what lies behind them, older
//! versions and delete markers, all with lesser sequences than the key's object; every file that a commit owes a move
//! or an unlink has a row in `chore` from that very commit.

pub(super) mod buckets;
pub(super) mod chores;
pub(super) mod chosen;
pub(super) mod documents;
pub(super) mod objects;
pub(super) mod parts;
pub(super) mod snapshots;
pub(super) mod uploads;
pub(super) mod versions;
pub(super) mod walk;

use holdfast_sqlite::Schema;
use holdfast_sqlite::rusqlite::ToSql;
use holdfast_sqlite::rusqlite::types::{ToSqlOutput, ValueRef};

/// Script 2 added tags and versions, script 3 owners, ACLs, locks and encryption. What later releases add are columns
/// that default to null, which SQLite adds without rewriting a row, and tables beside these. Rows move between `object`
/// and `version` as they are: a column of one is a column of the other.
pub(super) const SCHEMA: Schema = Schema {
    application_id: 0x6866_7333, // "hfs3"
    scripts: &[
        "
        create table engine (
            only_row integer primary key check (only_row = 1),
            generation integer not null
        ) strict;
        insert into engine values (1, 0);

        create table bucket (
            id integer primary key autoincrement,
            name text not null unique,
            region text not null,
            created_at_ms integer not null
        ) strict;

        create table document (
            bucket integer not null,
            name text not null,
            body text not null,
            primary key (bucket, name)
        ) strict, without rowid;

        create table object (
            bucket integer not null,
            key text not null,
            sequence integer not null,
            version text,
            path text not null,
            size integer not null,
            modified_ms integer not null,
            etag text not null,
            checksum text,
            storage_class text,
            owner text,
            attributes text,
            parts text,
            primary key (bucket, key)
        ) strict, without rowid;

        create table upload (
            bucket integer not null,
            key text not null,
            id text not null,
            number integer not null unique,
            initiated_at_ms integer not null,
            checksum text,
            storage_class text,
            owner text,
            attributes text,
            primary key (bucket, key, id)
        ) strict, without rowid;
        create index upload_by_age on upload (initiated_at_ms);

        create table part (
            upload integer not null,
            number integer not null,
            file integer not null unique,
            size integer not null,
            modified_ms integer not null,
            etag text not null,
            checksum text,
            primary key (upload, number)
        ) strict, without rowid;

        create table chore (
            file integer not null,
            kind integer not null,
            path text not null,
            primary key (file, kind)
        ) strict, without rowid;
    ",
        "
        alter table bucket add column versioning text;
        alter table object add column tags text;
        alter table upload add column tags text;

        create table version (
            bucket integer not null,
            key text not null,
            sequence integer not null,
            version text,
            path text,
            size integer not null,
            modified_ms integer not null,
            etag text not null,
            checksum text,
            storage_class text,
            owner text,
            attributes text,
            parts text,
            tags text,
            primary key (bucket, key, sequence desc)
        ) strict, without rowid;
        create unique index null_version on version (bucket, key) where version is null;
    ",
        "
        alter table bucket add column owner_id text;
        alter table bucket add column object_lock integer;
        alter table object add column acl text;
        alter table object add column lock text;
        alter table object add column encryption text;
        alter table version add column acl text;
        alter table version add column lock text;
        alter table version add column encryption text;
        alter table upload add column acl text;
        alter table upload add column lock text;
        alter table upload add column encryption text;
    ",
    ],
};

/// Bytes bound as text: the bounds of a range of keys need not be UTF-8.
pub(super) struct TextBytes<'a>(pub(super) &'a [u8]);

impl ToSql for TextBytes<'_> {
    fn to_sql(&self) -> holdfast_sqlite::rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Text(self.0)))
    }
}

/// The end of the range of all keys with `prefix`; no UTF-8 holds the byte 0xff.
pub(super) fn range_end(prefix: &str) -> Vec<u8> {
    holdfast_base::prefix_end(prefix.as_bytes()).unwrap_or_else(|| vec![0xff])
}

/// SQLite's integers have a sign; sizes and times never come near the edge.
pub(super) fn stored(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The other way round.
pub(super) fn loaded(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use holdfast_sqlite::rusqlite::Connection;
    use holdfast_sqlite::{Database, Settings};

    use super::*;

    #[tokio::test]
    async fn an_index_of_the_first_release_is_brought_up_to_date_and_keeps_what_it_knows() {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings::new(folder.path().join("index.db"));
        let first = Schema { scripts: &SCHEMA.scripts[..1], ..SCHEMA };
        let database = Database::open(&settings, first).unwrap();
        let fill = |connection: &Connection| {
            connection.execute_batch(
                "insert into bucket (name, region, created_at_ms) values ('bucket', 'us-east-1', 1);
                 insert into object (bucket, key, sequence, path, size, modified_ms, etag)
                 values (1, 'key', 7, 'bucket/key~v', 4, 2, 'etag');",
            )?;
            Ok(())
        };
        database.write(fill).await.unwrap();
        database.close().await;
        let database = Database::open(&settings, SCHEMA).unwrap();
        let found = |connection: &Connection| {
            let (info, _) = objects::find(connection, "bucket", "key")?.unwrap();
            assert_eq!((info.version, info.size, info.attributes.tags.len()), (None, 4, 0));
            versions::retire(connection, 1, "key")?;
            assert!(versions::exist(connection, 1)?);
            Ok(())
        };
        database.write(found).await.unwrap();
        database.close().await;
    }
}
