//! The state of an item of any class.

use serde::{Deserialize, Serialize};

use super::{Event, Kv, Record};
use crate::{Kind, Stamp};

/// What an item holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum State {
    /// A record, or what is known of a blob.
    Record(Record),
    /// A value of kv.
    Kv(Kv),
    /// An event.
    Event(Event),
}

impl State {
    /// Whether an item of this kind may hold it.
    pub fn fits(&self, kind: Kind) -> bool {
        match self {
            Self::Record(_) => matches!(kind, Kind::Record | Kind::Blob),
            Self::Kv(_) => kind == Kind::Kv,
            Self::Event(_) => kind == Kind::Event,
        }
    }

    /// Takes in what another peer has. States of different classes do not meet: an item's kind says its class.
    pub fn merge(&mut self, other: Self) {
        match (self, other) {
            (Self::Record(mine), Self::Record(theirs)) => mine.merge(theirs),
            (Self::Kv(mine), Self::Kv(theirs)) => mine.merge(theirs),
            (Self::Event(mine), Self::Event(theirs)) => mine.merge(theirs),
            _ => {}
        }
    }

    /// Whether every value in it is one that a store could have written.
    pub fn is_sound(&self) -> bool {
        match self {
            Self::Record(record) => record.is_sound(),
            Self::Kv(kv) => kv.is_sound(),
            Self::Event(event) => is_json(&event.payload),
        }
    }

    /// From when on nobody sees it: deleted, or expired. In milliseconds since the epoch.
    pub fn dead_ms(&self) -> Option<u64> {
        match self {
            Self::Event(_) => None,
            _ if self.is_tombstone() => Some(self.newest().ms),
            Self::Record(record) => record.view().and_then(|view| view.expires_at_ms),
            Self::Kv(kv) => kv.expires_at_ms(),
        }
    }

    /// The greatest stamp in it.
    pub fn newest(&self) -> Stamp {
        match self {
            Self::Record(record) => record.newest(),
            Self::Kv(kv) => kv.newest(),
            Self::Event(event) => event.stamp,
        }
    }

    /// Whether nothing is left of it but that it was deleted.
    pub fn is_tombstone(&self) -> bool {
        match self {
            Self::Record(record) => record.is_tombstone(),
            Self::Kv(kv) => kv.is_tombstone(),
            Self::Event(_) => false,
        }
    }
}

/// Whether it is a JSON text.
pub(super) fn is_json(text: &str) -> bool {
    serde_json::from_str::<&serde_json::value::RawValue>(text).is_ok()
}
