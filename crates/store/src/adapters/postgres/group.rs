//! What a group of batches is run against: all that they touch, loaded and locked before, stored after.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use holdfast_base::{Error, Result};

use crate::cell::Cell;
use crate::ledger::{self, Ledger};
use crate::{Batch, Event, Outcome, Space, Step};

/// What batches touch, each thing once and in the order in which it is locked.
#[derive(Default)]
pub(super) struct Wanted {
    /// Entries, and whether their values are needed.
    pub(super) keys: BTreeMap<(Space, String), bool>,
    pub(super) streams: BTreeSet<String>,
    /// Streams and ids of events that may be there already.
    pub(super) ids: BTreeSet<(String, String)>,
}

impl Wanted {
    pub(super) fn of(batches: &[Batch]) -> Self {
        let mut wanted = Self::default();
        for step in batches.iter().flat_map(|batch| &batch.steps) {
            match step {
                Step::Check { space, key, .. }
                | Step::Put { space, key, .. }
                | Step::Restore { space, key, .. }
                | Step::Delete { space, key, .. } => {
                    wanted.keys.entry((*space, key.as_str().to_owned())).or_insert(false);
                }
                Step::Add { space, key, .. } => {
                    wanted.keys.insert((*space, key.as_str().to_owned()), true);
                }
                Step::Append { stream, id, .. } => {
                    wanted.streams.insert(stream.as_str().to_owned());
                    if let Some(id) = id {
                        wanted.ids.insert((stream.as_str().to_owned(), id.clone()));
                    }
                }
            }
        }
        wanted
    }
}

/// The state of what is touched. A cell whose value was not asked for has an empty one.
#[derive(Default)]
pub(super) struct Group {
    pub(super) cells: BTreeMap<(Space, String), Slot>,
    pub(super) streams: HashMap<String, u64>,
    pub(super) ids: HashMap<(String, String), Event>,
    /// The position of the newest event.
    pub(super) position: u64,
    /// Events to store, in order.
    pub(super) appended: Vec<Event>,
    undo: Vec<Undo>,
}

/// What is under a key.
#[derive(Default)]
pub(super) struct Slot {
    pub(super) cell: Option<Cell>,
    /// It has a row.
    pub(super) is_stored: bool,
    pub(super) is_changed: bool,
    /// Somebody decided by its absence: nobody else may make it before the commit.
    pub(super) is_checked: bool,
}

enum Undo {
    Cell((Space, String), Option<Cell>, bool),
    Event,
}

impl Group {
    /// Runs a batch; one that fails changes nothing.
    pub(super) fn run(&mut self, batch: Batch, now_ms: u64) -> Result<Vec<Outcome>> {
        for step in &batch.steps {
            if let Step::Check { space, key, .. } = step {
                self.cells.entry((*space, key.as_str().to_owned())).or_default().is_checked = true;
            }
        }
        self.undo.clear();
        let outcome = ledger::run(self, batch, now_ms);
        if outcome.is_err() {
            self.roll_back();
        }
        outcome
    }

    /// Whether there is anything to store.
    pub(super) fn is_changed(&self) -> bool {
        !self.appended.is_empty() || self.cells.values().any(|slot| slot.is_changed)
    }

    fn roll_back(&mut self) {
        while let Some(undo) = self.undo.pop() {
            match undo {
                Undo::Cell(key, cell, is_changed) => {
                    let slot = self.cells.entry(key).or_default();
                    slot.cell = cell;
                    slot.is_changed = is_changed;
                }
                Undo::Event => {
                    let Some(event) = self.appended.pop() else { continue };
                    self.position -= 1;
                    self.streams.insert(event.stream.clone(), event.version - 1);
                    self.ids.remove(&(event.stream, event.id));
                }
            }
        }
    }
}

impl Ledger for Group {
    type Error = Error;

    fn load(&mut self, space: Space, key: &str) -> Result<Option<Cell>> {
        Ok(self.cells.get(&(space, key.to_owned())).and_then(|slot| slot.cell.clone()))
    }

    fn store(&mut self, space: Space, key: &str, cell: Cell, _is_new: bool) -> Result<()> {
        let key = (space, key.to_owned());
        let slot = self.cells.entry(key.clone()).or_default();
        self.undo.push(Undo::Cell(key, slot.cell.replace(cell), slot.is_changed));
        slot.is_changed = true;
        Ok(())
    }

    fn stream_version(&mut self, stream: &str) -> Result<u64> {
        Ok(self.streams.get(stream).copied().unwrap_or(0))
    }

    fn event_by_id(&mut self, stream: &str, id: &str) -> Result<Option<Event>> {
        Ok(self.ids.get(&(stream.to_owned(), id.to_owned())).cloned())
    }

    fn append(&mut self, event: &Event) -> Result<u64> {
        self.position += 1;
        let stored = Event { position: self.position, ..event.clone() };
        self.streams.insert(event.stream.clone(), event.version);
        self.ids.insert((event.stream.clone(), event.id.clone()), stored.clone());
        self.appended.push(stored);
        self.undo.push(Undo::Event);
        Ok(self.position)
    }
}
