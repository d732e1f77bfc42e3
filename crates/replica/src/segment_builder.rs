//! Makes segments from the log's frames, and keeps the place in the log.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use bytes::Bytes;
use holdfast_base::{Error, Result};
use uuid::Uuid;

use crate::backlog::LocalCommit;
use crate::page_changes::{PageChange, PageChanges, PagePair};
use crate::page_image::PageImage;
use crate::page_view::PageView;
use crate::segment::{Digest, Segment, SegmentKind, Transaction, link};
use crate::wal::{Cursor, WalFile, vanished};

/// Pages of one segment, in bytes before compression; a larger transaction is split.
pub(crate) const SEGMENT_BYTES: u32 = 8 << 20;

/// How far a writer's clock may have been ahead of its successor's.
const MOST_SKEW_MS: u64 = 24 * 3600 * 1000;

/// Where the log in the bucket ends, and who writes it.
#[derive(Clone, Debug)]
pub(crate) struct LogEnd {
    pub(crate) generation: Uuid,
    pub(crate) sequence: u64,
    pub(crate) digest: Digest,
    pub(crate) epoch: u64,
    pub(crate) writer: Uuid,
    /// When the last transaction was committed, in milliseconds since the epoch.
    pub(crate) time_ms: u64,
    /// Bytes of all segments, from the log's first one on.
    pub(crate) log_bytes: u64,
}

/// The state that is stored, and what comes after it in the local log.
#[derive(Clone, Debug)]
pub(crate) struct SegmentBuilder {
    pub(crate) end: LogEnd,
    pub(crate) view: PageView,
    cursor: Option<Cursor>,
    cycle: u64,
    /// Pages behind the database's size that earlier parts of the open transaction carried.
    carried: Arc<HashSet<u32>>,
    /// Whether a segment has said who writes.
    is_introduced: bool,
}

/// A segment that is ready to be stored, and the builder as it will be when it is.
#[derive(Debug)]
pub(crate) struct Built {
    pub(crate) key: String,
    pub(crate) sequence: u64,
    pub(crate) bytes: Bytes,
    pub(crate) after: SegmentBuilder,
    /// The last commit that is whole with it.
    pub(crate) commit: Option<u64>,
}

impl SegmentBuilder {
    /// Begins after a state of the local files.
    pub(crate) fn new(end: LogEnd, view: PageView, cursor: Option<Cursor>) -> Self {
        Self { end, view, cursor, cycle: 0, carried: Arc::default(), is_introduced: false }
    }

    /// The last frame that is in a segment.
    pub(crate) fn frame(&self) -> u32 {
        self.cursor.map_or(0, |cursor| cursor.frame)
    }

    /// The last commit in the log that is behind what is in segments; `None` when there is none. Commits of
    /// this process are known from its hook; another's are found like this.
    pub(crate) fn unseen_commit(&self) -> Result<Option<u32>> {
        let Some(header) = self.view.wal().header()?.filter(|header| header.page_bytes == self.view.page_bytes) else {
            return Ok(None);
        };
        let goes_on = self.view.header().is_some_and(|current| current.salts == header.salts);
        let mut cursor = self.cursor.filter(|_| goes_on).unwrap_or_else(|| WalFile::start(&header));
        let mut page = self.view.blank();
        let mut last = None;
        while let Some(frame) = self.view.wal().next(&header, &mut cursor, &mut page)? {
            if frame.commit_pages > 0 {
                last = Some(frame.number);
            }
        }
        Ok(last)
    }

    /// An empty segment.
    pub(crate) fn empty(&self, kind: SegmentKind) -> Result<Built> {
        let mut after = self.clone();
        if let SegmentKind::Rollover(next) = kind {
            after.end.generation = next;
        }
        let segment = self.segment(kind, &after.view, Vec::new(), PageChanges::Each(Vec::new()));
        self.finish(&segment, after, None)
    }

    /// The next segment of these commits, which `Backlog::next` chose.
    pub(crate) fn build(&self, commits: &[LocalCommit]) -> Result<Built> {
        let last = commits.last().ok_or_else(|| Error::internal("a segment without a commit"))?;
        let mut after = self.clone();
        after.enter_cycle(last.cycle)?;
        let before = after.view.clone();
        let (mut frames, page_count) = after.take_frames(last.frame)?;
        let is_whole = after.frame() >= last.frame;
        let mut extra = BTreeMap::new();
        if is_whole {
            frames.retain(|&number, _| number <= page_count);
            after.view.resize(page_count)?;
            extra = unwritten(&before, &frames, &after.carried, page_count);
            after.carried = Arc::default();
        }
        let pages = encode_pages(&before, &after.view, frames.keys().chain(extra.keys()).copied().collect())?;
        let (kind, transactions) =
            if is_whole { (SegmentKind::Commit, self.times(commits)) } else { (SegmentKind::Part, Vec::new()) };
        let mut segment = self.segment(kind, &after.view, transactions, pages);
        if !is_whole {
            // A part may hold pages behind the size before the transaction; its own size only bounds them.
            let largest = segment.pages.last();
            segment.page_count = Some(after.view.page_count.max(largest));
            let carried = segment.pages.numbers().into_iter().filter(|&number| number > before.page_count);
            Arc::make_mut(&mut after.carried).extend(carried);
        }
        self.finish(&segment, after, is_whole.then_some(last.number))
    }

    /// Times never go back along the log, so that a time is one place in it. A clock that was more than a day
    /// ahead is not waited for.
    fn times(&self, commits: &[LocalCommit]) -> Vec<Transaction> {
        let mut last_ms = self.end.time_ms;
        let next = |commit: &LocalCommit| {
            let is_near = last_ms <= commit.committed_ms.saturating_add(MOST_SKEW_MS);
            last_ms = if is_near { last_ms.max(commit.committed_ms) } else { commit.committed_ms };
            Transaction { committed_ms: last_ms }
        };
        commits.iter().map(next).collect()
    }

    fn segment(
        &self,
        kind: SegmentKind,
        after: &PageView,
        transactions: Vec<Transaction>,
        pages: PageChanges,
    ) -> Segment {
        Segment {
            kind,
            epoch: self.end.epoch,
            writer: (!self.is_introduced).then_some(self.end.writer),
            sequence: self.end.sequence + 1,
            previous: link(&self.end.digest),
            after: after.checksum,
            page_bytes: after.page_bytes,
            page_count: (after.page_count != self.view.page_count).then_some(after.page_count),
            time_ms: transactions.last().map_or(self.end.time_ms, |last| last.committed_ms),
            transactions,
            pages,
        }
    }

    fn finish(&self, segment: &Segment, mut after: Self, commit: Option<u64>) -> Result<Built> {
        let (bytes, digest) = segment.encode()?;
        after.is_introduced = true;
        after.end.sequence = segment.sequence;
        after.end.digest = digest;
        after.end.time_ms = segment.time_ms;
        after.end.log_bytes += bytes.len() as u64;
        let key = crate::layout::segment(self.end.generation, segment.sequence);
        Ok(Built { key, sequence: segment.sequence, bytes, after, commit })
    }

    fn enter_cycle(&mut self, cycle: u64) -> Result<()> {
        if self.cursor.is_some() && cycle == self.cycle {
            return Ok(());
        }
        let header = self.view.wal().header()?.filter(|header| header.page_bytes == self.view.page_bytes);
        let header = header.ok_or_else(|| vanished(1))?;
        let goes_on = self.view.header().is_some_and(|current| current.salts == header.salts);
        if !goes_on || self.cursor.is_none() {
            self.cursor = Some(WalFile::start(&header));
        }
        self.cycle = cycle;
        self.view.begin_cycle(header);
        Ok(())
    }

    /// All frames are in the main file now, and the log may start again at its first one.
    pub(crate) fn checkpointed(&mut self) {
        self.view.forget_frames();
    }

    /// Reads frames up to `last`, or until a segment is full. Gives the last frame of each page, and the
    /// database's size at the last commit.
    fn take_frames(&mut self, last: u32) -> Result<(BTreeMap<u32, u32>, u32)> {
        let (Some(mut cursor), Some(header)) = (self.cursor, self.view.header().copied()) else {
            return Err(Error::internal("frames without a log"));
        };
        let most = (SEGMENT_BYTES / self.view.page_bytes) as usize;
        let mut frames = BTreeMap::new();
        let mut page_count = self.view.page_count;
        let mut page = self.view.blank();
        while cursor.frame < last && frames.len() < most {
            let frame = self.view.wal().next(&header, &mut cursor, &mut page)?;
            let frame = frame.ok_or_else(|| vanished(cursor.frame + 1))?;
            self.view.change(frame.page, frame.number, &page)?;
            frames.insert(frame.page, frame.number);
            if frame.commit_pages > 0 {
                page_count = frame.commit_pages;
            }
        }
        self.cursor = Some(cursor);
        Ok((frames, page_count))
    }
}

/// Pages that became part of the database without being written: they are carried as they are.
fn unwritten(
    before: &PageView,
    frames: &BTreeMap<u32, u32>,
    carried: &HashSet<u32>,
    page_count: u32,
) -> BTreeMap<u32, u32> {
    let lock_page = crate::page_checksum::lock_page(before.page_bytes);
    let new = before.page_count + 1..=page_count;
    let is_missing = |number: &u32| *number != lock_page && !frames.contains_key(number) && !carried.contains(number);
    new.filter(is_missing).map(|number| (number, 0)).collect()
}

fn encode_pages(before: &PageView, after: &PageView, mut numbers: Vec<u32>) -> Result<PageChanges> {
    numbers.sort_unstable();
    if PageChanges::is_few(numbers.len(), after.page_bytes) {
        let pairs = numbers.into_iter().filter_map(|number| changed(before, after, number).transpose());
        return PageChanges::of_few(&pairs.collect::<Result<Vec<_>>>()?);
    }
    let mut pages = Vec::with_capacity(numbers.len());
    for number in numbers {
        if let Some(pair) = changed(before, after, number)? {
            pages.push(PageChange { number, image: PageImage::encode(&pair.after, &pair.before)? });
        }
    }
    Ok(PageChanges::Each(pages))
}

/// A page before and after; `None` when it is the same.
fn changed(before: &PageView, after: &PageView, number: u32) -> Result<Option<PagePair>> {
    let (mut old, mut new) = (before.blank(), before.blank());
    after.read(number, &mut new)?;
    let has_previous = number <= before.page_count;
    if has_previous {
        before.read(number, &mut old)?;
    }
    Ok((!has_previous || old != new).then_some(PagePair { number, before: old, after: new }))
}
