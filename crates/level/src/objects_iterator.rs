//! A cursor over the objects of a range, with values fetched ahead of the reader.

use std::collections::VecDeque;
use std::ops::Bound;

use bytes::Bytes;
use holdfast_base::Result;

use crate::batch_log::BatchLog;
use crate::failure::level_error;
use crate::iterator::{Entry, IteratorOptions, Page};
use crate::key_scan::{Direction, KeyScan, ListedKey, PAGE_KEYS};
use crate::objects::{IN_FLIGHT, Objects};
use crate::task::Task;

/// Values held and on their way together, at most; a larger one comes alone.
const AHEAD_BYTES: u64 = 16 << 20;

/// A cursor over a range. Not a snapshot: writes that happen meanwhile may show.
///
/// At most 64 values are under way, and at most 16 MiB of them held; lists are asked for half a page ahead.
pub(crate) struct ObjectsIterator {
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

impl ObjectsIterator {
    pub(crate) fn new(objects: Objects, batches: BatchLog, options: IteratorOptions) -> Self {
        let lists = Lists::Idle(KeyScan::new(objects.clone(), options.range.clone(), direction(&options)));
        let (keys, ahead) = (VecDeque::new(), VecDeque::new());
        Self { objects, batches, options, lists, keys, ahead, ahead_bytes: 0, yielded: 0 }
    }

    /// See [`crate::LevelIterator::next_page`].
    pub(crate) async fn next_page(&mut self, entries: usize, bytes: usize) -> Result<Page> {
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

    /// See [`crate::LevelIterator::seek`].
    pub(crate) fn seek(&mut self, target: &[u8]) {
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
        self.lists = Lists::Idle(KeyScan::new(self.objects.clone(), range, direction(&self.options)));
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

fn direction(options: &IteratorOptions) -> Direction {
    match (options.reverse, options.limit) {
        (false, _) => Direction::Forward,
        (true, Some(limit)) if limit <= u64::from(PAGE_KEYS) => Direction::BackwardFew,
        (true, _) => Direction::Backward,
    }
}
