//! Batches: run against the state, undone from a journal when a step fails.

use holdfast_base::{Error, Result};

use super::State;
use crate::cell::Cell;
use crate::ledger::{self, Ledger};
use crate::{Batch, Event, Outcome, Space};

pub(super) fn commit(state: &mut State, batch: Batch, now_ms: u64) -> Result<Vec<Outcome>> {
    let mut journal = Journal { state, undo: Vec::new() };
    let outcome = ledger::run(&mut journal, batch, now_ms);
    if outcome.is_err() {
        journal.roll_back();
    }
    outcome
}

struct Journal<'a> {
    state: &'a mut State,
    undo: Vec<Undo>,
}

enum Undo {
    Cell(Space, String, Option<Cell>),
    Event,
}

impl Journal<'_> {
    fn roll_back(&mut self) {
        while let Some(undo) = self.undo.pop() {
            match undo {
                Undo::Cell(space, key, Some(cell)) => {
                    self.state.cells.insert((space, key), cell);
                }
                Undo::Cell(space, key, None) => {
                    self.state.cells.remove(&(space, key));
                }
                Undo::Event => self.take_back_event(),
            }
        }
    }

    fn take_back_event(&mut self) {
        let Some(event) = self.state.events.pop() else { return };
        if event.version == 1 {
            self.state.streams.remove(&event.stream);
        } else {
            self.state.streams.insert(event.stream.clone(), event.version - 1);
        }
        self.state.ids.remove(&(event.stream, event.id));
    }
}

impl Ledger for Journal<'_> {
    type Error = Error;

    fn load(&mut self, space: Space, key: &str) -> Result<Option<Cell>> {
        Ok(self.state.cells.get(&(space, key.to_owned())).cloned())
    }

    fn store(&mut self, space: Space, key: &str, cell: Cell, _is_new: bool) -> Result<()> {
        let before = self.state.cells.insert((space, key.to_owned()), cell);
        self.undo.push(Undo::Cell(space, key.to_owned(), before));
        Ok(())
    }

    fn stream_version(&mut self, stream: &str) -> Result<u64> {
        Ok(self.state.streams.get(stream).copied().unwrap_or(0))
    }

    fn event_by_id(&mut self, stream: &str, id: &str) -> Result<Option<Event>> {
        let position = self.state.ids.get(&(stream.to_owned(), id.to_owned()));
        Ok(position.and_then(|position| self.state.events.get(usize::try_from(position - 1).ok()?)).cloned())
    }

    fn append(&mut self, event: &Event) -> Result<u64> {
        let position = self.state.events.len() as u64 + 1;
        self.state.streams.insert(event.stream.clone(), event.version);
        self.state.ids.insert((event.stream.clone(), event.id.clone()), position);
        self.state.events.push(Event { position, ..event.clone() });
        self.undo.push(Undo::Event);
        Ok(position)
    }
}
