//! The memory adapter: everything in the process, for tests. Nothing outlives the store.

mod blobs;
mod commit;
mod entries;
mod events;

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use holdfast_base::{Clock, Error, KeyRange, Result};

use crate::cell::Cell;
use crate::{Adapter, Answer, Batch, BlobInfo, Capabilities, Event, Outcome, Pending, Space};

/// A store in memory. Clones share it.
#[derive(Clone)]
pub struct Memory {
    state: Arc<Mutex<State>>,
    clock: Arc<dyn Clock>,
}

#[derive(Default)]
struct State {
    closed: bool,
    /// Sorted by class, then key: one ordered map serves both classes.
    cells: BTreeMap<(Space, String), Cell>,
    /// In order of position: the event at index n has position n + 1.
    events: Vec<Event>,
    streams: BTreeMap<String, u64>,
    /// Positions by stream and id.
    ids: HashMap<(String, String), u64>,
    blobs: BTreeMap<String, (BlobInfo, Bytes)>,
}

impl Memory {
    /// An empty store.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { state: Arc::default(), clock }
    }

    fn with<T>(&self, work: impl FnOnce(&mut State, u64) -> Result<T>) -> Result<T> {
        let now_ms = self.clock.now_ms();
        let mut state = self.lock();
        if state.closed {
            return Err(Error::closed("the store"));
        }
        work(&mut state, now_ms)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Adapter for Memory {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            atomic: true,
            ordered: true,
            presign: false,
            durable: false,
            multi_process: false,
            notifies: false,
        }
    }

    fn commit(&self, batch: Batch) -> Answer<Vec<Outcome>> {
        Answer::now(|| self.with(|state, now_ms| commit::commit(state, batch, now_ms)))
    }

    fn close(&self) -> Pending<()> {
        *self.lock() = State { closed: true, ..State::default() };
        Box::pin(std::future::ready(Ok(())))
    }
}

/// A text that no key of the range lies below. A bound need not be UTF-8 (the end of a prefix isn't), so
/// this is only where to begin looking.
fn lowest_text(range: &KeyRange) -> String {
    match &range.start {
        Bound::Included(start) | Bound::Excluded(start) => {
            start.utf8_chunks().next().map(|chunk| chunk.valid().to_owned()).unwrap_or_default()
        }
        Bound::Unbounded => String::new(),
    }
}
