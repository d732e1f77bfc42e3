//! Runs a batch against anything that can load and store cells and streams.
//!
//! Invariant: an adapter that undoes what `run` did when it fails has all-or-nothing batches.

use holdfast_base::{Error, ErrorKind, Result};

use crate::cell::{self, Cell};
use crate::{Batch, Condition, Event, Outcome, Space, Step};

/// What a batch is run against. Its error may be wider than the house's.
pub(crate) trait Ledger {
    /// What loading and storing fail with.
    type Error: From<Error>;

    /// What is stored under a key, also when deleted or expired.
    fn load(&mut self, space: Space, key: &str) -> Result<Option<Cell>, Self::Error>;
    /// Stores a cell. `is_new`: nothing was stored under the key before.
    fn store(&mut self, space: Space, key: &str, cell: Cell, is_new: bool) -> Result<(), Self::Error>;
    /// The stream's version; 0 when it does not exist.
    fn stream_version(&mut self, stream: &str) -> Result<u64, Self::Error>;
    /// The event with this id in the stream.
    fn event_by_id(&mut self, stream: &str, id: &str) -> Result<Option<Event>, Self::Error>;
    /// Appends an event; gives back its position.
    fn append(&mut self, event: &Event) -> Result<u64, Self::Error>;
}

/// Runs the steps in their order; stops at the first that fails.
pub(crate) fn run<L: Ledger>(ledger: &mut L, batch: Batch, now_ms: u64) -> Result<Vec<Outcome>, L::Error> {
    batch.steps.into_iter().map(|step| run_step(ledger, step, now_ms)).collect()
}

fn run_step<L: Ledger>(ledger: &mut L, step: Step, now_ms: u64) -> Result<Outcome, L::Error> {
    match step {
        Step::Check { space, key, condition } => {
            let current = ledger.load(space, key.as_str())?;
            cell::check(current.as_ref(), key.as_str(), condition, now_ms)?;
            Ok(Outcome::Checked)
        }
        Step::Put { space, key, value, condition, ttl_ms } => {
            let key = key.as_str();
            cell::check_value(key, &value)?;
            let current = ledger.load(space, key)?;
            cell::check(current.as_ref(), key, condition, now_ms)?;
            let expires_at_ms = ttl_ms.map(|ttl_ms| now_ms.saturating_add(ttl_ms));
            let next = Cell::put(current.as_ref(), value, expires_at_ms, now_ms);
            let outcome = put_outcome(&next);
            ledger.store(space, key, next, current.is_none())?;
            Ok(outcome)
        }
        Step::Delete { space, key, condition } => delete(ledger, space, key.as_str(), condition, now_ms),
        Step::Add { space, key, by } => {
            let current = ledger.load(space, key.as_str())?;
            let (next, value) = Cell::add(current.as_ref(), key.as_str(), by, now_ms)?;
            let version = next.version;
            ledger.store(space, key.as_str(), next, current.is_none())?;
            Ok(Outcome::Added { value, version })
        }
        Step::Restore { space, key, value, version, created_at_ms, updated_at_ms, expires_at_ms } => {
            let cell = Cell { value: Some(value), version, created_at_ms, updated_at_ms, expires_at_ms };
            restore(ledger, space, key.as_str(), cell)
        }
        Step::Append { stream, payload, expected_version, id, timestamp_ms } => {
            let draft = Draft { stream: stream.into_string(), payload, expected_version, id, timestamp_ms };
            append(ledger, draft, now_ms)
        }
    }
}

/// What a put answers.
pub(crate) fn put_outcome(cell: &Cell) -> Outcome {
    Outcome::Put { version: cell.version, created_at_ms: cell.created_at_ms, updated_at_ms: cell.updated_at_ms }
}

fn delete<L: Ledger>(
    ledger: &mut L,
    space: Space,
    key: &str,
    condition: Condition,
    now_ms: u64,
) -> Result<Outcome, L::Error> {
    let current = ledger.load(space, key)?;
    cell::check(current.as_ref(), key, condition, now_ms)?;
    match current {
        Some(cell) if cell.is_live(now_ms) => {
            ledger.store(space, key, cell.delete(now_ms), false)?;
            Ok(Outcome::Deleted { existed: true })
        }
        _ => Ok(Outcome::Deleted { existed: false }),
    }
}

fn restore<L: Ledger>(ledger: &mut L, space: Space, key: &str, cell: Cell) -> Result<Outcome, L::Error> {
    cell::check_value(key, cell.value.as_deref().unwrap_or_default())?;
    let current = ledger.load(space, key)?;
    let changed = current.as_ref().is_none_or(|current| current.version < cell.version);
    if changed {
        ledger.store(space, key, cell, current.is_none())?;
    }
    Ok(Outcome::Restored { changed })
}

/// An event on its way in.
pub(crate) struct Draft {
    pub(crate) stream: String,
    pub(crate) payload: String,
    pub(crate) expected_version: Option<u64>,
    pub(crate) id: Option<String>,
    pub(crate) timestamp_ms: Option<u64>,
}

fn append<L: Ledger>(ledger: &mut L, draft: Draft, now_ms: u64) -> Result<Outcome, L::Error> {
    cell::check_value(&draft.stream, &draft.payload)?;
    if let Some(id) = &draft.id
        && let Some(stored) = ledger.event_by_id(&draft.stream, id)?
    {
        return Ok(Outcome::Appended(same_event(stored, &draft)?));
    }
    let version = ledger.stream_version(&draft.stream)?;
    check_stream_version(&draft, version)?;
    let mut event = draft.into_event(version + 1, now_ms);
    event.position = ledger.append(&event)?;
    Ok(Outcome::Appended(event))
}

impl Draft {
    /// The event in this version of its stream, without a position yet.
    pub(crate) fn into_event(self, version: u64, now_ms: u64) -> Event {
        let id = self.id.unwrap_or_else(|| uuid::Uuid::now_v7().to_string());
        let timestamp_ms = self.timestamp_ms.unwrap_or(now_ms);
        Event { id, stream: self.stream, payload: self.payload, timestamp_ms, version, position: 0 }
    }
}

/// The stored event, when the draft is the same one sent again.
pub(crate) fn same_event(stored: Event, draft: &Draft) -> Result<Event> {
    if stored.payload == draft.payload {
        return Ok(stored);
    }
    let message =
        format!("stream {:?} has another event with id {:?}; give each event its own id", draft.stream, stored.id);
    Err(Error::new(ErrorKind::Conflict, "EVENT_ID_TAKEN", message).with("id", stored.id))
}

/// Whether the stream has the version that the draft expects.
pub(crate) fn check_stream_version(draft: &Draft, actual: u64) -> Result<()> {
    let Some(expected) = draft.expected_version.filter(|expected| *expected != actual) else { return Ok(()) };
    let message = format!(
        "stream {:?} has version {actual}, but {expected} was expected; read it again and decide",
        draft.stream
    );
    Err(Error::new(ErrorKind::Conflict, "VERSION_CONFLICT", message)
        .with("key", draft.stream.as_str())
        .with("expected", expected)
        .with("actual", actual))
}
