//! Local batches: the tables of the SQLite adapter, and the items beside them, in one transaction.

use holdfast_base::Error;
use holdfast_p2p::{Changes, Event as EventState, Item, ItemId, Kind, Kv, KvValue, Record, Rows, Stamp, State};
use holdfast_sqlite::rusqlite::Connection;
use holdfast_sqlite::{Failure, Work};

use super::events::{event_key, note_order, rank_of};
use crate::adapters::sqlite::Tables;
use crate::cell::{self, Cell, number_text};
use crate::ledger::{self, Ledger};
use crate::{Batch, Event, Outcome, Space, Step};

/// Removed fields are remembered for so long.
const FIELDS_HORIZON_MS: u64 = super::HORIZON_MS;

pub(super) fn commit(connection: &Connection, rows: &Rows, batch: Batch, now_ms: u64) -> Work<(Vec<Outcome>, Changes)> {
    let mut ledger = Replicated { connection, rows, changes: Changes::default(), now_ms };
    let mut outcomes = Vec::with_capacity(batch.steps.len());
    for step in batch.steps {
        match step {
            Step::Add { space: Space::Kv, key, by } => outcomes.push(ledger.add(key.as_str(), by)?),
            step => outcomes.extend(ledger::run(&mut ledger, Batch::one(step), now_ms)?),
        }
    }
    rows.save_clock(connection)?;
    Ok((outcomes, ledger.changes))
}

struct Replicated<'a> {
    connection: &'a Connection,
    rows: &'a Rows,
    changes: Changes,
    now_ms: u64,
}

impl Replicated<'_> {
    fn tables(&self) -> Tables<'_> {
        Tables::alone(self.connection)
    }

    fn state(&self, kind: Kind, key: &str) -> Work<Option<State>> {
        self.rows.load(self.connection, ItemId::of(kind, key))
    }

    fn keep(&mut self, kind: Kind, key: &str, state: State) -> Work<()> {
        self.rows.store(self.connection, &mut self.changes, &Item { kind, key: key.to_owned(), state })
    }

    fn stamp(&self) -> Stamp {
        self.rows.stamp(self.now_ms)
    }

    /// Adds to a number: what each peer adds is kept apart, so that all of it counts.
    fn add(&mut self, key: &str, by: f64) -> Work<Outcome> {
        let current = self.tables().load(Space::Kv, key)?;
        // Says whether there is a number, and whether the sum is one.
        let (mut next, _) = Cell::add(current.as_ref(), key, by, self.now_ms)?;
        let mut kv = match self.state(Kind::Kv, key)? {
            Some(State::Kv(kv)) => kv,
            _ => Kv::default(),
        };
        let stamp = self.stamp();
        if !current.as_ref().is_some_and(|cell| cell.is_live(self.now_ms)) && kv.value().is_some() {
            // It has expired: the count begins anew.
            kv.delete(self.stamp());
        }
        kv.add(by, stamp.max(self.stamp()));
        let value = match kv.value() {
            Some(KvValue::Sum(sum)) => sum,
            _ => return Err(Error::internal("a number lost its sum").into()),
        };
        next.value = number_text(value);
        let version = next.version;
        self.keep(Kind::Kv, key, State::Kv(kv))?;
        self.tables().store(Space::Kv, key, next, current.is_none())?;
        Ok(Outcome::Added { value, version })
    }

    fn put_record(&mut self, key: &str, cell: &mut Cell) -> Work<()> {
        let mut record = match self.state(Kind::Record, key)? {
            Some(State::Record(record)) => record,
            _ => Record::default(),
        };
        let stamp = self.stamp();
        match &cell.value {
            Some(value) => {
                record.put(value, cell.expires_at_ms, cell.created_at_ms, stamp);
                record.forget_removed(stamp.ms.saturating_sub(FIELDS_HORIZON_MS));
                // As every other peer will read it.
                cell.value = record.view().map(|view| view.value);
            }
            None => record.delete(stamp),
        }
        self.keep(Kind::Record, key, State::Record(record))
    }

    fn put_kv(&mut self, key: &str, cell: &Cell) -> Work<()> {
        let mut kv = Kv::default();
        let stamp = self.stamp();
        match &cell.value {
            Some(value) => kv.set(value.clone(), cell.expires_at_ms, cell.created_at_ms, stamp),
            None => kv.delete(stamp),
        }
        self.keep(Kind::Kv, key, State::Kv(kv))
    }
}

impl Ledger for Replicated<'_> {
    type Error = Failure;

    fn load(&mut self, space: Space, key: &str) -> Work<Option<Cell>> {
        self.tables().load(space, key)
    }

    fn store(&mut self, space: Space, key: &str, mut cell: Cell, is_new: bool) -> Work<()> {
        match space {
            Space::Records => self.put_record(key, &mut cell)?,
            Space::Kv => self.put_kv(key, &cell)?,
            // How far this peer's subscriptions came is its own.
            Space::Checkpoints => {}
        }
        self.tables().store(space, key, cell, is_new)
    }

    fn stream_version(&mut self, stream: &str) -> Work<u64> {
        self.tables().stream_version(stream)
    }

    fn event_by_id(&mut self, stream: &str, id: &str) -> Work<Option<Event>> {
        let Some(mut event) = self.tables().event_by_id(stream, id)? else { return Ok(None) };
        event.version = rank_of(self.connection, event.position)?;
        Ok(Some(event))
    }

    fn append(&mut self, event: &Event) -> Work<u64> {
        if event.id.contains('\0') {
            return Err(cell::invalid("INVALID_KEY", "an event's id can't contain NUL".to_owned()).into());
        }
        let position = self.tables().append(event)?;
        let stamp = self.stamp();
        note_order(self.connection, position, &event.stream, stamp)?;
        let state = EventState { stamp, timestamp_ms: event.timestamp_ms, payload: event.payload.clone() };
        self.keep(Kind::Event, &event_key(&event.stream, &event.id), State::Event(state))?;
        Ok(position)
    }
}
