//! The log in the bucket, followed from a starting point to its end.

use bytes::Bytes;
use holdfast_base::{Error, ErrorKind, Result};
use uuid::Uuid;

use crate::layout;
use crate::restore::LocalBase;
use crate::segment::{Digest, SegmentKind, StoredSegment};
use crate::snapshot_meta::SnapshotMeta;
use crate::store::{KeyQuery, ReplicaStore};

/// A run of consecutive segments in one generation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LogRun {
    pub(crate) generation: Uuid,
    pub(crate) first: u64,
    pub(crate) last: u64,
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
}

impl LogChain {
    /// The log from its first segment.
    pub(crate) async fn from_the_first(store: &dyn ReplicaStore) -> Result<Self> {
        let chain = Self {
            runs: Vec::new(),
            generation: layout::ROOT,
            sequence: 0,
            digest: [0; 32],
            epoch: 0,
            checksum: None,
            time_ms: 0,
        };
        Self::follow(store, chain).await
    }

    /// The log behind a snapshot.
    pub(crate) async fn behind(store: &dyn ReplicaStore, meta: &SnapshotMeta) -> Result<Self> {
        let foreign =
            || Error::new(ErrorKind::Integrity, "SNAPSHOT_META_CORRUPT", "a snapshot of another format has no log");
        let place = meta.place.as_ref().ok_or_else(foreign)?;
        let chain = Self {
            runs: Vec::new(),
            generation: Uuid::parse_str(&meta.generation).map_err(|_| foreign())?,
            sequence: place.sequence()?,
            digest: place.digest()?,
            epoch: place.epoch,
            checksum: Some(place.checksum()?),
            time_ms: place.time_ms()?,
        };
        Self::follow(store, chain).await
    }

    /// The log behind a place that the local file stands at.
    pub(crate) async fn from_place(store: &dyn ReplicaStore, generation: Uuid, base: &LocalBase) -> Result<Self> {
        let chain = Self {
            runs: Vec::new(),
            generation,
            sequence: base.sequence,
            digest: base.digest,
            epoch: 0,
            checksum: Some(base.view.checksum),
            time_ms: 0,
        };
        Self::follow(store, chain).await
    }

    async fn follow(store: &dyn ReplicaStore, mut chain: Self) -> Result<Self> {
        while let Some(last) = last_sequence(store, chain.generation, chain.sequence).await? {
            let run = LogRun { generation: chain.generation, first: chain.sequence + 1, last };
            let stored = read_segment(store, run.generation, last).await?;
            chain.runs.push(run);
            chain.sequence = last;
            chain.digest = stored.digest;
            chain.epoch = chain.epoch.max(stored.segment.epoch);
            chain.time_ms = stored.segment.time_ms;
            if chain.checksum.is_some() {
                chain.checksum = Some(whole_checksum(store, run, &stored).await?);
            }
            match stored.segment.kind {
                SegmentKind::Rollover(next) => chain.generation = next,
                _ => break,
            }
        }
        Ok(chain)
    }
}

/// The checksum of the last whole state in a run: that of its last segment that is not a part.
async fn whole_checksum(store: &dyn ReplicaStore, run: LogRun, last: &StoredSegment) -> Result<u64> {
    let mut at = run.last;
    let mut segment = last.segment.clone();
    while !segment.is_whole() {
        if at == run.first {
            return Ok(segment.before);
        }
        at -= 1;
        let before = segment.before;
        segment = read_segment(store, run.generation, at).await?.segment;
        if segment.is_whole() && segment.after != before {
            return Err(crate::segment::corrupt("does not follow from the one before it"));
        }
    }
    Ok(segment.after)
}

async fn last_sequence(store: &dyn ReplicaStore, generation: Uuid, behind: u64) -> Result<Option<u64>> {
    let after = Some(layout::segment(generation, behind));
    let mut query = KeyQuery { prefix: layout::log(generation), after, ..KeyQuery::default() };
    let mut last = None;
    loop {
        let page = store.list(&query).await?;
        last = page.keys.iter().rev().find_map(|key| layout::sequence_of(key)).or(last);
        match page.next {
            Some(next) => query.continuation = Some(next),
            None => return Ok(last),
        }
    }
}

/// Reads one segment; a missing one is a hole.
pub(crate) async fn read_segment(store: &dyn ReplicaStore, generation: Uuid, sequence: u64) -> Result<StoredSegment> {
    let key = layout::segment(generation, sequence);
    let stored =
        StoredSegment::decode(&read_bytes(store, &key).await?).map_err(|error| error.with("key", key.clone()))?;
    if stored.segment.sequence != sequence {
        return Err(crate::segment::corrupt("stands under another's name").with("key", key));
    }
    Ok(stored)
}

/// Reads one segment's bytes.
pub(crate) async fn read_bytes(store: &dyn ReplicaStore, key: &str) -> Result<Bytes> {
    let object = store.get(key).await?;
    object.map(|object| object.bytes).ok_or_else(|| {
        let message = format!("{key} is missing: the log has a hole there. Restore to an earlier point");
        Error::new(ErrorKind::Integrity, "LOG_HOLE", message).with("key", key)
    })
}
