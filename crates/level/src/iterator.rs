//! A cursor over a range, with values fetched ahead of the reader.

use std::collections::VecDeque;
use std::ops::Bound;

use bytes::Bytes;
use holdfast_base::{KeyRange, Result};

use crate::batch_log::BatchLog;
use crate::failure::level_error;
use crate::key_scan::{Direction, KeyScan, ListedKey, PAGE_KEYS};
use crate::objects::{IN_FLIGHT, Objects};
use crate::task::Task;

/// Values held and on their way together, at most; a larger one comes alone.
const AHEAD_BYTES: u64 = 16 << 20;

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

impl IteratorOptions {
    fn direction(&self) -> Direction {
        match (self.reverse, self.limit) {
            (false, _) => Direction::Forward,
            (true, Some(limit)) if limit <= u64::from(PAGE_KEYS) => Direction::BackwardFew,
            (true, _) => Direction::Backward,
        }
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

/// A cursor over a range. Not a snapshot: writes that happen meanwhile may show.
///
/// At most 64 values are under way, and at most 16 MiB of them held; lists are asked for half a page ahead.
pub struct LevelIterator {
    objects: Objects,
    batches: BatchLog,
    options: IteratorOptions,
    lists: Lists,
    keys: VecDeque<ListedKey>,
    ahead: VecDeque<Fetch>,
    ahead_bytes: u64,
    yielded: u64,
}

/// The walk over the keys: at rest, under way, or over.
enum Lists {
    Idle(KeyScan),
    Busy(Task<(KeyScan, Result<Option<Vec<ListedKey>>>)>),
    Over,
}

/// A key with its value, or on the way to it.
struct Fetch {
    key: Vec<u8>,
    value_bytes: u64,
    value: Value,
}

enum Value {
    Known(Bytes),
    Loading(Task<Result<Option<Bytes>>>),
}

impl LevelIterator {
    pub(crate) fn new(objects: Objects, batches: BatchLog, options: IteratorOptions) -> Self {
        let lists = Lists::Idle(KeyScan::new(objects.clone(), options.range.clone(), options.direction()));
        let (keys, ahead) = (VecDeque::new(), VecDeque::new());
        Self { objects, batches, options, lists, keys, ahead, ahead_bytes: 0, yielded: 0 }
    }

    /// The next entries: at least one, except at the end, and as many of those that are there already as fit
    /// in `entries` and in about `bytes`.
    ///
    /// # Errors
    /// `Connection`, `Timeout`, `NotFound`; the iteration can't go on after one.
    pub async fn next_page(&mut self, entries: usize, bytes: usize) -> Result<Page> {
        self.batches.settle(&self.objects).await.map_err(level_error)?;
        let mut page = Page::default();
        let mut page_bytes = 0;
        while page.entries.len() < entries.max(1) && page_bytes < bytes.max(1) {
            self.fetch_ahead(page.entries.is_empty()).await?;
            let Some(front) = self.ahead.front_mut() else { break };
            if !page.entries.is_empty() && !front.is_ready() {
                break;
            }
            let value = front.value().await?;
            if let Some(fetched) = self.ahead.pop_front() {
                self.ahead_bytes -= fetched.value_bytes;
                // A key that vanished since it was listed is passed over.
                if let Some(value) = value {
                    page_bytes += fetched.key.len() + value.len();
                    page.entries.push(Entry { key: fetched.key, value });
                    self.yielded += 1;
                }
            }
        }
        Ok(page)
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
        self.keys.clear();
        self.ahead.clear();
        self.ahead_bytes = 0;
        let mut range = self.options.range.clone();
        if !range.contains(target) {
            self.lists = Lists::Over;
            return;
        }
        let bound = Bound::Included(target.to_vec());
        if self.options.reverse {
            range.end = bound;
        } else {
            range.start = bound;
        }
        self.lists = Lists::Idle(KeyScan::new(self.objects.clone(), range, self.options.direction()));
    }

    /// Keeps values and lists on their way. With `wait`, waits until a value is under way or the end is known.
    async fn fetch_ahead(&mut self, wait: bool) -> Result<()> {
        loop {
            self.launch_fetches();
            self.launch_list();
            let starved = self.ahead.is_empty() && self.keys.is_empty();
            let must_wait = starved && wait;
            if !must_wait && !self.list_is_ready() {
                return Ok(());
            }
            match &mut self.lists {
                Lists::Busy(task) => {
                    let (scan, keys) = task.answer().await?;
                    self.lists = Lists::Over;
                    if let Some(keys) = keys? {
                        self.keys.extend(keys);
                        self.lists = Lists::Idle(scan);
                    }
                }
                _ => return Ok(()),
            }
        }
    }

    fn list_is_ready(&self) -> bool {
        matches!(&self.lists, Lists::Busy(task) if task.is_finished())
    }

    fn launch_fetches(&mut self) {
        while self.ahead.len() < IN_FLIGHT && self.left_to_launch() > 0 {
            let Some(next) = self.keys.front() else { return };
            let value_bytes = if self.options.values { next.value_bytes } else { 0 };
            if self.ahead_bytes + value_bytes > AHEAD_BYTES && !self.ahead.is_empty() {
                return;
            }
            let Some(next) = self.keys.pop_front() else { return };
            let value = if value_bytes == 0 {
                Value::Known(Bytes::new())
            } else {
                let bucket = self.objects.bucket.clone();
                Value::Loading(Task::spawn(async move { bucket.find_bytes(&next.object).await }))
            };
            self.ahead_bytes += value_bytes;
            self.ahead.push_back(Fetch { key: next.key, value_bytes, value });
        }
    }

    /// Asks for the next list when less than half a page of keys is left and the limit needs more.
    fn launch_list(&mut self) {
        let left = usize::try_from(self.left_to_launch()).unwrap_or(usize::MAX);
        let page_keys = self.page_keys();
        if self.keys.len() >= left || self.keys.len() > usize::from(page_keys / 2) {
            return;
        }
        if let Lists::Idle(_) = self.lists
            && let Lists::Idle(mut scan) = std::mem::replace(&mut self.lists, Lists::Over)
        {
            self.lists = Lists::Busy(Task::spawn(async move {
                let page = scan.next_page(page_keys).await;
                (scan, page)
            }));
        }
    }

    /// How many entries may still be set out for.
    fn left_to_launch(&self) -> u64 {
        let limit = self.options.limit.unwrap_or(u64::MAX);
        limit.saturating_sub(self.yielded).saturating_sub(self.ahead.len() as u64)
    }

    fn page_keys(&self) -> u16 {
        match (self.options.page_keys, self.options.limit) {
            (Some(wanted), _) => wanted.clamp(1, PAGE_KEYS),
            // The end that a reverse walk looks for is not nearer for a limit.
            (None, Some(limit)) if !self.options.reverse => {
                u16::try_from(limit).map_or(PAGE_KEYS, |limit| limit.clamp(1, PAGE_KEYS))
            }
            (None, _) => PAGE_KEYS,
        }
    }
}

impl Fetch {
    fn is_ready(&self) -> bool {
        match &self.value {
            Value::Known(_) => true,
            Value::Loading(task) => task.is_finished(),
        }
    }

    /// Its value; `None` when the key vanished.
    async fn value(&mut self) -> Result<Option<Bytes>> {
        match &mut self.value {
            Value::Known(value) => Ok(Some(value.clone())),
            Value::Loading(task) => task.answer().await?.map_err(level_error),
        }
    }
}
