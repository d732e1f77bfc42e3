//! Puts the log's segments together in packs, so that a restore needs few requests.
//!
//! Invariants:
//! - a pack holds segments as they are, and only what is stored for good; so packs of whoever made them, also
//!   of a former owner, are right, and may overlap;
//! - segments are removed after their pack is stored, so at every moment each is somewhere;
//! - **seals and rollovers stay where they are**: they are what refuses a put of a former owner. The keys that
//!   are freed are keys that their own writer has filled, and nobody else can be about to put.

use std::collections::HashSet;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use holdfast_base::{Error, Result};
use uuid::Uuid;

use crate::log_chain::read_segment;
use crate::log_listing::{Listed, LogListing, Piece};
use crate::segment::{SegmentKind, StoredSegment, corrupt, link};
use crate::step::{Step, StepSink};
use crate::store::{Outcome, ReplicaStore};
use crate::{layout, pack};

/// How many segments, or small packs, become a pack.
pub(crate) const PACKED_TOGETHER: usize = 64;
/// A pack is not made larger.
const PACK_BYTES: u64 = 8 << 20;
/// Objects read at once.
const FETCHES: usize = 8;

/// Packs the log of one generation after the other.
#[derive(Debug)]
pub(crate) struct Packing {
    store: Arc<dyn ReplicaStore>,
    steps: StepSink,
    generation: Uuid,
    /// Segments in packs that stay beside them.
    marks: HashSet<u64>,
}

impl Packing {
    pub(crate) fn new(store: Arc<dyn ReplicaStore>, steps: StepSink) -> Self {
        Self { store, steps, generation: Uuid::nil(), marks: HashSet::new() }
    }

    /// Packs what stands before `end`, a segment that is stored. `least` objects become one.
    ///
    /// # Errors
    /// `Integrity` naming a segment that does not follow from the one before it; what the store says.
    pub(crate) async fn run(&mut self, generation: Uuid, end: u64, least: usize) -> Result<()> {
        if self.generation != generation {
            self.generation = generation;
            self.marks.clear();
        }
        let listing = LogListing::read(&*self.store, generation, 0).await?;
        self.remove_leftovers(&listing).await?;
        let loose: Vec<Listed> =
            listing.segments.iter().copied().filter(|one| one.first < end && !listing.is_packed(one.first)).collect();
        for run in runs_of(&loose, least) {
            self.pack(&run).await?;
        }
        let listing = LogListing::read(&*self.store, generation, end).await?;
        for run in runs_of(&outer(&listing.packs), least) {
            self.merge(&run).await?;
        }
        Ok(())
    }

    /// What a crash left beside the pack that it is in.
    async fn remove_leftovers(&mut self, listing: &LogListing) -> Result<()> {
        let mut left = Vec::new();
        for segment in listing.segments.iter().map(|one| one.first) {
            if self.marks.contains(&segment) || !listing.is_packed(segment) {
                continue;
            }
            match read_segment(&*self.store, self.generation, segment).await?.segment.kind {
                SegmentKind::Commit | SegmentKind::Part => left.push(layout::segment(self.generation, segment)),
                SegmentKind::Seal | SegmentKind::Rollover(_) => drop(self.marks.insert(segment)),
            }
        }
        let outer = outer(&listing.packs);
        let inner = listing.packs.iter().filter(|pack| !outer.contains(pack));
        left.extend(inner.map(|pack| layout::pack(self.generation, pack.first, pack.last)));
        self.remove(left).await
    }

    async fn pack(&mut self, run: &[Listed]) -> Result<()> {
        let segments = self.read(run, Piece::segment).await?;
        let mut freed = Vec::new();
        let mut previous = None;
        for (sequence, bytes) in &segments {
            let key = layout::segment(self.generation, *sequence);
            let stored = StoredSegment::decode(bytes, *sequence).map_err(|error| error.with("key", key.clone()))?;
            if previous.is_some_and(|previous| previous != stored.segment.previous) {
                return Err(corrupt("does not follow from the one before it").with("key", key));
            }
            previous = Some(link(&stored.digest));
            match stored.segment.kind {
                SegmentKind::Commit | SegmentKind::Part => freed.push(key),
                SegmentKind::Seal | SegmentKind::Rollover(_) => drop(self.marks.insert(*sequence)),
            }
        }
        if freed.is_empty() {
            return Ok(());
        }
        self.put(&segments).await?;
        self.remove(freed).await
    }

    async fn merge(&self, run: &[Listed]) -> Result<()> {
        let segments = self.read(run, Piece::pack).await?;
        self.put(&segments).await?;
        self.remove(run.iter().map(|pack| layout::pack(self.generation, pack.first, pack.last)).collect()).await
    }

    async fn read(&self, run: &[Listed], piece: fn(Listed) -> Piece) -> Result<Vec<(u64, Bytes)>> {
        let read = |&one: &Listed| piece(one).read(&*self.store, self.generation);
        let pieces: Vec<_> = run.iter().map(read).collect();
        let read: Vec<Vec<(u64, Bytes)>> = stream::iter(pieces).buffered(FETCHES).try_collect().await?;
        Ok(read.into_iter().flatten().collect())
    }

    async fn put(&self, segments: &[(u64, Bytes)]) -> Result<()> {
        let (Some((first, _)), Some((last, _))) = (segments.first(), segments.last()) else { return Ok(()) };
        let key = layout::pack(self.generation, *first, *last);
        let all: Vec<Bytes> = segments.iter().map(|(_, bytes)| bytes.clone()).collect();
        let bytes = tokio::task::spawn_blocking(move || pack::encode(&all)).await;
        let bytes = bytes.map_err(|error| Error::internal(error.to_string()))?;
        if self.store.create(&key, bytes.clone()).await? == Outcome::Refused {
            // An earlier attempt, ours or a former owner's: the same segments give the same bytes.
            let there = self.store.get(&key).await?.map(|object| object.bytes);
            if there != Some(bytes) {
                return Err(corrupt("is in a pack of another log").with("key", key));
            }
        }
        self.steps.tell(Step::PackStored);
        Ok(())
    }

    async fn remove(&self, keys: Vec<String>) -> Result<()> {
        if keys.is_empty() {
            return Ok(());
        }
        self.store.remove(&keys).await?;
        self.steps.tell(Step::SegmentsRemoved);
        Ok(())
    }
}

/// Consecutive objects that together make one pack: enough of them, or enough bytes.
fn runs_of(objects: &[Listed], least: usize) -> Vec<Vec<Listed>> {
    let mut runs = Vec::new();
    let mut run: Vec<Listed> = Vec::new();
    let mut bytes = 0;
    let mut close = |run: &mut Vec<Listed>, bytes: &mut u64, is_full: bool| {
        let run = std::mem::take(run);
        let is_large = is_full && *bytes >= PACK_BYTES / 2;
        *bytes = 0;
        if run.len() >= 2 && (run.len() >= least || is_large) {
            runs.push(run);
        }
    };
    for &object in objects {
        let follows = run.last().is_none_or(|last| last.last + 1 == object.first);
        let fits = bytes + object.bytes <= PACK_BYTES && object.bytes < PACK_BYTES / 2;
        if !follows || !fits {
            close(&mut run, &mut bytes, follows);
        }
        if object.bytes < PACK_BYTES / 2 {
            bytes += object.bytes;
            run.push(object);
        }
    }
    close(&mut run, &mut bytes, false);
    runs
}

/// Packs that are not inside of another.
fn outer(packs: &[Listed]) -> Vec<Listed> {
    let contains =
        |other: &Listed, pack: &Listed| other != pack && other.first <= pack.first && other.last >= pack.last;
    packs.iter().copied().filter(|pack| !packs.iter().any(|other| contains(other, pack))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(count: u64, bytes: u64) -> Vec<Listed> {
        (1..=count).map(|sequence| Listed { first: sequence, last: sequence, bytes }).collect()
    }

    fn ends(runs: &[Vec<Listed>]) -> Vec<(u64, u64)> {
        runs.iter().map(|run| (run[0].first, run[run.len() - 1].last)).collect()
    }

    #[test]
    fn enough_small_objects_become_a_run_and_too_few_wait() {
        assert_eq!(ends(&runs_of(&listed(100, 10), 64)), [(1, 100)]);
        assert_eq!(ends(&runs_of(&listed(63, 10), 64)), []);
    }

    #[test]
    fn a_run_ends_where_its_pack_would_grow_too_large() {
        assert_eq!(ends(&runs_of(&listed(20, 1 << 20), 64)), [(1, 8), (9, 16)]);
    }

    #[test]
    fn an_object_that_is_large_already_stands_alone() {
        let mut objects = listed(130, 10);
        objects[64].bytes = 7 << 20;
        assert_eq!(ends(&runs_of(&objects, 64)), [(1, 64), (66, 130)]);
    }

    #[test]
    fn a_run_has_no_holes() {
        let mut objects = listed(10, 10);
        objects.remove(4);
        assert_eq!(ends(&runs_of(&objects, 2)), [(1, 4), (6, 10)]);
    }
}
