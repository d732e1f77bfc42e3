//! Takes a snapshot: streams a state of the database to the bucket while writers go on.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use holdfast_base::{Error, ErrorKind, Result};
use sha2::{Digest as _, Sha256};
use tokio::sync::watch;
use uuid::Uuid;

use crate::layout;
use crate::page_checksum::JOURNAL_MODE_BYTES;
use crate::page_view::PageView;
use crate::segment_builder::SegmentBuilder;
use crate::snapshot_meta::{FORMAT, SnapshotMeta, SnapshotPlace, iso, to_hex};
use crate::step::{Step, StepSink};
use crate::store::{Outcome, ReplicaStore};

/// Bytes read from the files at once.
const CHUNK_BYTES: u32 = 256 << 10;

/// The newest snapshot that counts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LastSnapshot {
    /// The database's checksum in it.
    pub(crate) checksum: u64,
    /// Bytes of the log up to it.
    pub(crate) log_bytes: u64,
}

/// While a snapshot reads the files, nothing is checkpointed, and the local log grows; so far and no further.
#[derive(Clone, Debug)]
pub(crate) struct SnapshotLimit {
    pub(crate) position: watch::Receiver<SegmentBuilder>,
    pub(crate) wal_bytes: u64,
}

impl SnapshotLimit {
    fn check(&self) -> Result<()> {
        let builder = self.position.borrow();
        if u64::from(builder.frame()) * u64::from(builder.view.page_bytes) <= self.wal_bytes {
            return Ok(());
        }
        let message = "the snapshot was given up: the local log had grown too large beside it. The next one is tried later; \
                       nothing is lost";
        Err(Error::new(ErrorKind::Connection, "SNAPSHOT_GAVE_WAY", message))
    }
}

/// Stores the state at `cut` as the snapshot of the generation that the log is in there.
///
/// The caller keeps checkpoints away until it is done.
pub(crate) async fn store_snapshot(
    store: &dyn ReplicaStore,
    cut: &SegmentBuilder,
    parent: Option<Uuid>,
    now_ms: u64,
    limit: SnapshotLimit,
    steps: &StepSink,
) -> Result<SnapshotMeta> {
    let generation = cut.end.generation.to_string();
    let hash = Arc::new(Mutex::new(Sha256::new()));
    let body = pages(cut.view.clone(), Arc::clone(&hash), limit, steps.clone());
    store.put_stream(&layout::snapshot(&generation), body).await?;
    steps.tell(Step::SnapshotStored);
    let digest = hash.lock().unwrap_or_else(PoisonError::into_inner).clone().finalize();
    let meta = SnapshotMeta {
        generation: generation.clone(),
        created_at: iso(now_ms),
        size: u64::from(cut.view.page_count) * u64::from(cut.view.page_bytes),
        checksum: to_hex(&digest),
        place: Some(SnapshotPlace {
            format: FORMAT,
            page_size: cut.view.page_bytes,
            page_count: cut.view.page_count,
            position: format!("{:016x}", cut.end.sequence),
            position_digest: to_hex(&cut.end.digest),
            position_time: iso(cut.end.time_ms),
            database_checksum: format!("{:016x}", cut.view.checksum),
            log_bytes: cut.end.log_bytes,
            epoch: cut.end.epoch,
            parent: parent.map(|parent| parent.to_string()),
            description_checksum: String::new(),
        }),
    };
    let key = layout::snapshot_meta(&generation);
    let bytes = meta.encode()?;
    if store.create(&key, bytes.clone()).await? == Outcome::Refused {
        let there = store.get(&key).await?.map(|object| object.bytes);
        if there != Some(bytes) {
            return Err(Error::internal(format!("{key} exists already, with other content")));
        }
    }
    steps.tell(Step::SnapshotCounts);
    Ok(meta)
}

/// The pages as a file that any tool opens: in rollback mode, since the log is not beside it.
fn pages(view: PageView, hash: Arc<Mutex<Sha256>>, limit: SnapshotLimit, steps: StepSink) -> crate::store::ByteStream {
    let per_chunk = (CHUNK_BYTES / view.page_bytes).max(1);
    let state = (Arc::new(view), 1_u32, hash, limit, steps);
    stream::try_unfold(state, move |(view, first, hash, limit, steps)| async move {
        if first > view.page_count {
            return Ok(None);
        }
        limit.check()?;
        let last = view.page_count.min(first + per_chunk - 1);
        let reading = (Arc::clone(&view), Arc::clone(&hash));
        let chunk = tokio::task::spawn_blocking(move || read_chunk(&reading.0, first, last, &reading.1)).await;
        let chunk = chunk.map_err(|error| Error::internal(error.to_string()))??;
        steps.tell(Step::SnapshotBegun);
        Ok(Some((chunk, (view, last + 1, hash, limit, steps))))
    })
    .boxed()
}

fn read_chunk(view: &PageView, first: u32, last: u32, hash: &Mutex<Sha256>) -> Result<Bytes> {
    let page_bytes = view.page_bytes as usize;
    let mut chunk = vec![0; (last - first + 1) as usize * page_bytes];
    for (number, page) in (first..=last).zip(chunk.chunks_exact_mut(page_bytes)) {
        view.read(number, page)?;
        if number == 1 {
            page[JOURNAL_MODE_BYTES].fill(1);
        }
    }
    hash.lock().unwrap_or_else(PoisonError::into_inner).update(&chunk);
    Ok(chunk.into())
}
