//! Batches: run on the writer thread inside a savepoint, which undoes them whole.

use holdfast_sqlite::rusqlite::{Connection, OptionalExtension, Row, params};
use holdfast_sqlite::{Failure, Work};

use super::{followers, signed, unsigned};
use crate::cell::Cell;
use crate::ledger::{self, Ledger};
use crate::{Batch, Event, Outcome, Space};

/// Runs a batch. While others follow, what it changes is noted for them, by the name of `origin`.
pub(super) fn commit(connection: &Connection, batch: Batch, origin: &str, now_ms: u64) -> Work<Vec<Outcome>> {
    let told_by = followers::others_follow(connection, origin, now_ms)?.then_some(origin);
    ledger::run(&mut Tables { connection, told_by }, batch, now_ms)
}

/// The tables as a batch changes them.
pub(in crate::adapters) struct Tables<'a> {
    connection: &'a Connection,
    /// By which name changes are noted for others; nobody follows without.
    told_by: Option<&'a str>,
}

impl<'a> Tables<'a> {
    /// The tables of a file that no other process has open.
    pub(in crate::adapters) fn alone(connection: &'a Connection) -> Self {
        Self { connection, told_by: None }
    }
}

impl Ledger for Tables<'_> {
    type Error = Failure;

    fn load(&mut self, space: Space, key: &str) -> Work<Option<Cell>> {
        load(self.connection, space, key)
    }

    fn store(&mut self, space: Space, key: &str, cell: Cell, is_new: bool) -> Work<()> {
        let sql = if is_new {
            "insert into entries (value, version, created_ms, updated_ms, expires_ms, space, key)
             values (?1, ?2, ?3, ?4, ?5, ?6, ?7)"
        } else {
            "update entries set value = ?1, version = ?2, created_ms = ?3, updated_ms = ?4, expires_ms = ?5
             where space = ?6 and key = ?7"
        };
        self.connection.prepare_cached(sql)?.execute(params![
            cell.value,
            signed(cell.version),
            signed(cell.created_at_ms),
            signed(cell.updated_at_ms),
            cell.expires_at_ms.map(signed),
            space.number(),
            key,
        ])?;
        if let Some(origin) = self.told_by {
            followers::note(self.connection, origin, Some((space, key)))?;
        }
        Ok(())
    }

    fn stream_version(&mut self, stream: &str) -> Work<u64> {
        stream_version(self.connection, stream)
    }

    fn event_by_id(&mut self, stream: &str, id: &str) -> Work<Option<Event>> {
        let mut find = self.connection.prepare_cached(
            "select position, stream, version, id, payload, timestamp_ms from events where stream = ?1 and id = ?2",
        )?;
        Ok(find.query_row([stream, id], event_of).optional()?)
    }

    fn append(&mut self, event: &Event) -> Work<u64> {
        let mut append = self.connection.prepare_cached(
            "insert into events (stream, version, id, payload, timestamp_ms) values (?1, ?2, ?3, ?4, ?5)",
        )?;
        append.execute(params![
            event.stream,
            signed(event.version),
            event.id,
            event.payload,
            signed(event.timestamp_ms)
        ])?;
        let position = unsigned(self.connection.last_insert_rowid());
        let mut raise = self.connection.prepare_cached(
            "insert into streams values (?1, ?2) on conflict (stream) do update set version = excluded.version",
        )?;
        raise.execute(params![event.stream, signed(event.version)])?;
        if let Some(origin) = self.told_by {
            followers::note(self.connection, origin, None)?;
        }
        Ok(position)
    }
}

/// What is stored under a key, also when deleted or expired.
pub(super) fn load(connection: &Connection, space: Space, key: &str) -> Work<Option<Cell>> {
    let mut find = connection.prepare_cached(
        "select value, version, created_ms, updated_ms, expires_ms from entries where space = ?1 and key = ?2",
    )?;
    let cell = find.query_row(params![space.number(), key], |row| {
        Ok(Cell {
            value: row.get(0)?,
            version: unsigned(row.get(1)?),
            created_at_ms: unsigned(row.get(2)?),
            updated_at_ms: unsigned(row.get(3)?),
            expires_at_ms: row.get::<_, Option<i64>>(4)?.map(unsigned),
        })
    });
    Ok(cell.optional()?)
}

pub(super) fn stream_version(connection: &Connection, stream: &str) -> Work<u64> {
    let mut find = connection.prepare_cached("select version from streams where stream = ?1")?;
    Ok(find.query_row([stream], |row| row.get(0)).optional()?.map_or(0, unsigned))
}

/// An event from the columns `position, stream, version, id, payload, timestamp_ms`.
pub(in crate::adapters) fn event_of(row: &Row<'_>) -> holdfast_sqlite::rusqlite::Result<Event> {
    Ok(Event {
        position: unsigned(row.get(0)?),
        stream: row.get(1)?,
        version: unsigned(row.get(2)?),
        id: row.get(3)?,
        payload: row.get(4)?,
        timestamp_ms: unsigned(row.get(5)?),
    })
}
