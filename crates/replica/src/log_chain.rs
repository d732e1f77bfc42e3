//! The log in the bucket, followed from a starting point to its end.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt, stream};
use holdfast_base::{Error, ErrorKind, Result};
use uuid::Uuid;

use crate::layout;
use crate::log_listing::{LogListing, Piece, read_bytes};
use crate::restore::LocalBase;
use crate::restored_file::LogPlace;
use crate::segment::{Digest, SegmentKind, StoredSegment};
use crate::snapshot_meta::SnapshotMeta;
use crate::store::ReplicaStore;

/// Objects fetched at once.
const FETCHES: usize = 8;

/// A run of consecutive segments in one generation.
#[derive(Clone, Debug)]
pub(crate) struct LogRun {
    pub(crate) generation: Uuid,
    pub(crate) first: u64,
    pub(crate) last: u64,
    pub(crate) pieces: Arc<[Piece]>,
}

/// The log from a starting point to its end.
#[derive(Clone, Debug)]
pub(crate) struct LogChain {
    pub(crate) runs: Vec<LogRun>,
    /// The generation in which the next segment goes.
    pub(crate) generation: Uuid,
    /// The last sequence.
    pub(crate) sequence: u64,
    /// The digest of the last segment.
    pub(crate) digest: Digest,
    /// The highest epoch seen.
    pub(crate) epoch: u64,
    /// The checksum of the last whole state; `None` when no state was ever stored.
    pub(crate) checksum: Option<u64>,
    /// When the last transaction was committed, in milliseconds since the epoch.
    pub(crate) time_ms: u64,
    /// Bytes of the log from its beginning on, as far as they are known.
    pub(crate) log_bytes: u64,
}

impl LogChain {
    fn at(generation: Uuid, place: LogPlace, checksum: Option<u64>) -> Self {
        let LogPlace { sequence, digest, time_ms } = place;
        Self { runs: Vec::new(), generation, sequence, digest, epoch: 0, checksum, time_ms, log_bytes: 0 }
    }

    /// The log from its first segment.
    pub(crate) async fn from_the_first(store: &dyn ReplicaStore) -> Result<Self> {
        let start = LogPlace { sequence: 0, digest: [0; 32], time_ms: 0 };
        Self::at(layout::ROOT, start, None).follow(store).await
    }

    /// The log behind a snapshot.
    pub(crate) async fn behind(store: &dyn ReplicaStore, meta: &SnapshotMeta) -> Result<Self> {
        let foreign =
            || Error::new(ErrorKind::Integrity, "SNAPSHOT_META_CORRUPT", "a snapshot of another format has no log");
        let place = meta.place.as_ref().ok_or_else(foreign)?;
        let generation = Uuid::parse_str(&meta.generation).map_err(|_| foreign())?;
        let mut chain = Self::at(generation, place.log_place()?, Some(place.checksum()?));
        chain.epoch = place.epoch;
        chain.log_bytes = place.log_bytes;
        chain.follow(store).await
    }

    /// The log behind a place that the local file stands at.
    pub(crate) async fn from_place(store: &dyn ReplicaStore, generation: Uuid, base: &LocalBase) -> Result<Self> {
        let place = LogPlace { sequence: base.sequence, digest: base.digest, time_ms: 0 };
        Self::at(generation, place, Some(base.view.checksum)).follow(store).await
    }

    /// The log behind a place in it.
    pub(crate) async fn onward(
        store: &dyn ReplicaStore,
        generation: Uuid,
        place: LogPlace,
        checksum: u64,
    ) -> Result<Self> {
        Self::at(generation, place, Some(checksum)).follow(store).await
    }

    /// The same log, looked at again behind a place in it: packing has moved segments.
    pub(crate) async fn again_behind(&self, store: &dyn ReplicaStore, place: LogPlace, checksum: u64) -> Result<Self> {
        let next = place.sequence + 1;
        let run = self.runs.iter().find(|run| (run.first..=run.last).contains(&next));
        let generation = run.map_or(self.generation, |run| run.generation);
        Self::at(generation, place, Some(checksum)).follow(store).await
    }

    async fn follow(mut self, store: &dyn ReplicaStore) -> Result<Self> {
        loop {
            let listing = LogListing::read(store, self.generation, self.sequence).await?;
            // The last segment of a generation is never packed.
            let Some(last) = listing.segments.last().map(|segment| segment.last) else { return Ok(self) };
            let first = self.sequence + 1;
            let run = LogRun { generation: self.generation, first, last, pieces: listing.pieces(first, last) };
            let stored = read_segment(store, run.generation, last).await?;
            self.sequence = last;
            self.digest = stored.digest;
            self.epoch = self.epoch.max(stored.segment.epoch);
            self.time_ms = stored.segment.time_ms;
            self.log_bytes += listing.bytes_of(&run.pieces);
            if let Some(before) = self.checksum {
                self.checksum = Some(whole_checksum(store, &run, &stored, before).await?);
            }
            self.runs.push(run);
            match stored.segment.kind {
                SegmentKind::Rollover(next) => self.generation = next,
                _ => return Ok(self),
            }
        }
    }

    /// The segments of a range, in order, each with its sequence and its key; several objects are fetched at
    /// once.
    pub(crate) fn segments<'a>(
        &self,
        store: &'a dyn ReplicaStore,
        from: u64,
        to: u64,
    ) -> BoxStream<'a, Result<(u64, Bytes, String)>> {
        let runs = self.runs.clone();
        let pieces = runs.into_iter().flat_map(move |run| {
            let wanted = move |piece: &Piece| piece.last >= from && piece.first <= to;
            let pieces: Vec<Piece> = run.pieces.iter().copied().filter(wanted).collect();
            pieces.into_iter().map(move |piece| (run.generation, piece))
        });
        let read = move |(generation, piece): (Uuid, Piece)| async move {
            let key = piece.key(generation);
            let segments = piece.read(store, generation).await?;
            let wanted = segments.into_iter().filter(move |(sequence, _)| (from..=to).contains(sequence));
            let named = wanted.map(move |(sequence, bytes)| Ok::<_, Error>((sequence, bytes, key.clone())));
            Ok::<_, Error>(stream::iter(named))
        };
        stream::iter(pieces).map(read).buffered(FETCHES).try_flatten().boxed()
    }
}

/// The checksum of the last whole state in a run: that of its last segment that is not a part. `before` is
/// that of the state before the run.
async fn whole_checksum(store: &dyn ReplicaStore, run: &LogRun, last: &StoredSegment, before: u64) -> Result<u64> {
    let mut at = run.last;
    let mut segment = last.segment.clone();
    while !segment.is_whole() {
        if at == run.first {
            return Ok(before);
        }
        at -= 1;
        segment = read_through(store, run, at).await?.segment;
    }
    Ok(segment.after)
}

/// Reads one segment, also out of a pack.
async fn read_through(store: &dyn ReplicaStore, run: &LogRun, sequence: u64) -> Result<StoredSegment> {
    let piece = run.pieces.iter().find(|piece| (piece.first..=piece.last).contains(&sequence));
    let Some(piece) = piece else { return read_segment(store, run.generation, sequence).await };
    let segments = piece.read(store, run.generation).await?;
    let bytes = segments.into_iter().find(|&(found, _)| found == sequence).map(|(_, bytes)| bytes);
    decode(&bytes.unwrap_or_default(), sequence, &piece.key(run.generation))
}

/// Reads one segment that stands alone; a missing one is a hole.
pub(crate) async fn read_segment(store: &dyn ReplicaStore, generation: Uuid, sequence: u64) -> Result<StoredSegment> {
    let key = layout::segment(generation, sequence);
    decode(&read_bytes(store, &key).await?, sequence, &key)
}

fn decode(bytes: &Bytes, sequence: u64, key: &str) -> Result<StoredSegment> {
    StoredSegment::decode(bytes, sequence).map_err(|error| error.with("key", key))
}
