//! What peers sent, in the tables that readers read.

use holdfast_p2p::{Event as EventState, Kind, KvValue, Mirror, State};
use holdfast_sqlite::Work;
use holdfast_sqlite::rusqlite::{Connection, params};

use super::events::{note_order, stream_and_id};
use crate::adapters::signed;
use crate::adapters::sqlite::Tables as Inner;
use crate::cell::{Cell, number_text};
use crate::ledger::Ledger;
use crate::{Event, Space};

/// The tables of the SQLite adapter.
pub(super) struct Tables;

impl Mirror for Tables {
    fn show(&self, connection: &Connection, kind: Kind, key: &str, state: Option<&State>) -> Work<()> {
        match (kind, state) {
            (Kind::Record, Some(State::Record(record))) => {
                let shown = record.view().map(|view| (view.value, view.expires_at_ms, view.created_ms));
                show_entry(connection, Space::Records, key, shown, record.newest().ms)
            }
            (Kind::Kv, Some(State::Kv(kv))) => {
                let shown = kv.value().and_then(value_text).map(|text| (text, kv.expires_at_ms(), kv.created_ms()));
                show_entry(connection, Space::Kv, key, shown, kv.newest().ms)
            }
            (Kind::Record, None) => show_entry(connection, Space::Records, key, None, 0),
            (Kind::Kv, None) => show_entry(connection, Space::Kv, key, None, 0),
            (Kind::Event, Some(State::Event(event))) => show_event(connection, key, event),
            _ => Ok(()),
        }
    }
}

fn value_text(value: KvValue) -> Option<String> {
    match value {
        KvValue::Text(text) => Some(text),
        KvValue::Sum(sum) => number_text(sum.clamp(f64::MIN, f64::MAX)),
    }
}

/// An entry's value, its expiry and its creation.
type Shown = (String, Option<u64>, u64);

fn show_entry(connection: &Connection, space: Space, key: &str, shown: Option<Shown>, updated_at_ms: u64) -> Work<()> {
    let current = Inner::alone(connection).load(space, key)?;
    let (value, expires_at_ms, created_at_ms) = match shown {
        Some((value, expires_at_ms, created_at_ms)) => (Some(value), expires_at_ms, created_at_ms),
        None => (None, None, current.as_ref().map_or(updated_at_ms, |cell| cell.created_at_ms)),
    };
    // A version counts what this peer saw change.
    let version = current.as_ref().map_or(0, |cell| cell.version) + 1;
    let cell = Cell { value, version, created_at_ms, updated_at_ms, expires_at_ms };
    Inner::alone(connection).store(space, key, cell, current.is_none())
}

fn show_event(connection: &Connection, key: &str, state: &EventState) -> Work<()> {
    let Some((stream, id)) = stream_and_id(key) else { return Ok(()) };
    if let Some(stored) = Inner::alone(connection).event_by_id(stream, id)? {
        // Two peers appended it; the earlier one stands.
        connection
            .prepare_cached("update events set payload = ?2, timestamp_ms = ?3 where position = ?1")?
            .execute(params![signed(stored.position), state.payload, signed(state.timestamp_ms)])?;
        return note_order(connection, stored.position, stream, state.stamp);
    }
    let version = Inner::alone(connection).stream_version(stream)? + 1;
    let event = Event {
        id: id.to_owned(),
        stream: stream.to_owned(),
        payload: state.payload.clone(),
        timestamp_ms: state.timestamp_ms,
        version,
        position: 0,
    };
    let position = Inner::alone(connection).append(&event)?;
    note_order(connection, position, stream, state.stamp)
}
