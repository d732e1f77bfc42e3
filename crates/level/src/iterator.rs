//! Cursors over ranges, of either layout.

use std::ops::Bound;

use bytes::Bytes;
use holdfast_base::{KeyRange, Result};

use crate::lsm::LsmIterator;
use crate::objects_iterator::ObjectsIterator;

/// What to iterate over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IteratorOptions {
    /// The keys.
    pub range: KeyRange,
    /// From the last to the first.
    pub reverse: bool,
    /// Most entries; `None` for all. Keys that vanish during the scan don't count.
    pub limit: Option<u64>,
    /// Whether values are wanted; without them nothing but lists is asked for.
    pub values: bool,
    /// Most keys asked for in one list: 1 to 1,000. Default: 1,000, or the limit where that is less.
    pub page_keys: Option<u16>,
}

impl Default for IteratorOptions {
    fn default() -> Self {
        Self { range: KeyRange::all(), reverse: false, limit: None, values: true, page_keys: None }
    }
}

/// A key and its value; the value is empty where values were not wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The key.
    pub key: Vec<u8>,
    /// The value.
    pub value: Bytes,
}

/// Some entries in the order of the iteration; empty at the end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The entries.
    pub entries: Vec<Entry>,
}

/// A page as one piece of memory, which crosses borders cheaply.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PackedPage {
    /// Key, value, key, value, …, without anything between them.
    pub data: Vec<u8>,
    /// The length of each in bytes, in the same order.
    pub lengths: Vec<u32>,
}

impl Page {
    /// The page as one piece of memory.
    pub fn packed(&self) -> PackedPage {
        let bytes = self.entries.iter().map(|entry| entry.key.len() + entry.value.len()).sum();
        let mut packed =
            PackedPage { data: Vec::with_capacity(bytes), lengths: Vec::with_capacity(self.entries.len() * 2) };
        for Entry { key, value } in &self.entries {
            for part in [key.as_slice(), value.as_ref()] {
                packed.data.extend_from_slice(part);
                // S3's largest object in one request is 5 GiB, but no single buffer of JavaScript is that long.
                packed.lengths.push(u32::try_from(part.len()).unwrap_or(u32::MAX));
            }
        }
        packed
    }
}

/// The range between bounds, of which each side has at most one that counts: `gte` before `gt`, `lte` before `lt`.
pub fn key_range(gt: Option<Vec<u8>>, gte: Option<Vec<u8>>, lt: Option<Vec<u8>>, lte: Option<Vec<u8>>) -> KeyRange {
    let bound = |included: Option<Vec<u8>>, excluded: Option<Vec<u8>>| match (included, excluded) {
        (Some(bound), _) => Bound::Included(bound),
        (None, Some(bound)) => Bound::Excluded(bound),
        (None, None) => Bound::Unbounded,
    };
    KeyRange { start: bound(gte, gt), end: bound(lte, lt) }
}

/// A cursor over a range. In the objects layout it is no snapshot: writes that happen meanwhile may show.
pub struct LevelIterator(pub(crate) Cursor);

pub(crate) enum Cursor {
    Objects(Box<ObjectsIterator>),
    Lsm(Box<LsmIterator>),
}

impl LevelIterator {
    /// The next entries: at least one, except at the end, and as many of those that are there already as fit
    /// in `entries` and in about `bytes`.
    ///
    /// # Errors
    /// `Connection`, `Timeout`, `NotFound`; the iteration can't go on after one.
    pub async fn next_page(&mut self, entries: usize, bytes: usize) -> Result<Page> {
        match &mut self.0 {
            Cursor::Objects(cursor) => cursor.next_page(entries, bytes).await,
            Cursor::Lsm(cursor) => cursor.next_page(entries, bytes).await,
        }
    }

    /// Seeks if a target is given, then gives back the next page; see [`LevelIterator::next_page`].
    ///
    /// # Errors
    /// As [`LevelIterator::next_page`].
    pub async fn page_after(&mut self, seek: Option<Vec<u8>>, entries: u32, bytes: u32) -> Result<Page> {
        if let Some(target) = seek {
            self.seek(&target);
        }
        let whole = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
        self.next_page(whole(entries), whole(bytes)).await
    }

    /// Moves to a key: the next entry is the first at or after it (at or before it, in reverse). A key outside
    /// of the range ends the iteration.
    pub fn seek(&mut self, target: &[u8]) {
        match &mut self.0 {
            Cursor::Objects(cursor) => cursor.seek(target),
            Cursor::Lsm(cursor) => cursor.seek(target),
        }
    }
}
