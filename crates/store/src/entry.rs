//! Records and kv entries as a caller sees them.

use holdfast_base::KeyRange;

/// Which class of entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Space {
    /// `store.records`.
    Records,
    /// `store.kv`.
    Kv,
    /// How far each durable subscription came; nothing that users list.
    Checkpoints,
}

impl Space {
    /// Its number in files; never changed.
    pub fn number(self) -> u8 {
        match self {
            Self::Records => 0,
            Self::Kv => 1,
            Self::Checkpoints => 2,
        }
    }

    /// The space of a number.
    pub fn numbered(number: i64) -> Self {
        match number {
            0 => Self::Records,
            2 => Self::Checkpoints,
            _ => Self::Kv,
        }
    }

    /// Its name in paths and messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Records => "records",
            Self::Kv => "kv",
            Self::Checkpoints => "checkpoints",
        }
    }
}

/// A live entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its key.
    pub key: String,
    /// Its value, as JSON text. Empty when only keys were asked for.
    pub value: String,
    /// From 1, one more with every put.
    pub version: u64,
    /// When it began to exist (again), in milliseconds since the epoch.
    pub created_at_ms: u64,
    /// When it was last put, in milliseconds since the epoch.
    pub updated_at_ms: u64,
    /// When it goes, in milliseconds since the epoch.
    pub expires_at_ms: Option<u64>,
}

/// Which entries to list, in UTF-8 byte order of their keys.
#[derive(Clone, Debug)]
pub struct EntryQuery {
    /// Bounds of the keys.
    pub range: KeyRange,
    /// From the last to the first.
    pub reverse: bool,
    /// The key that the page before ended with; the page begins behind it, in its direction.
    pub after: Option<String>,
    /// At most so many entries. A page may be shorter and still have a next one.
    pub limit: usize,
    /// Leave the values out.
    pub keys_only: bool,
}

impl EntryQuery {
    /// Every entry of a range, from the first, at most `limit` a page.
    pub fn of(range: KeyRange, limit: usize) -> Self {
        Self { range, reverse: false, after: None, limit, keys_only: false }
    }

    /// The range that is left behind `after`.
    pub fn remaining(&self) -> KeyRange {
        let mut range = self.range.clone();
        if let Some(after) = &self.after {
            let bound = std::ops::Bound::Excluded(after.clone().into_bytes());
            if self.reverse {
                range.end = bound;
            } else {
                range.start = bound;
            }
        }
        range
    }
}

/// Some entries, and the key to go on behind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EntryPage {
    /// The entries, in the order asked for.
    pub items: Vec<Entry>,
    /// Give it as `after` for the next page; `None` when there is none.
    pub next: Option<String>,
}

/// A page is closed when its values reach this many bytes: what bounds memory whatever the limit is.
pub(crate) const PAGE_BYTES: usize = 1 << 20;
