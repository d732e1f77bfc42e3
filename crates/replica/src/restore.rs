//! Makes the local file from the bucket: a verified snapshot, the log behind it, checked, renamed into place.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::TryStreamExt;
use holdfast_base::{Error, ErrorKind, Result};
use sha2::{Digest as _, Sha256};
use tokio::io::AsyncWriteExt;
use uuid::Uuid;

use crate::catalog::Catalog;
use crate::event::{Event, EventSink};
use crate::layout;
use crate::local_history::{beside, page_bytes_of};
use crate::log_chain::LogChain;
use crate::page_view::PageView;
use crate::point::Point;
use crate::restored_file::{LogPlace, RestoredFile};
use crate::segment::Digest;
use crate::snapshot_meta::{SnapshotMeta, from_iso, to_hex};
use crate::step::{Step, StepSink};
use crate::store::ReplicaStore;

/// What a restore gave.
#[derive(Debug)]
pub(crate) struct Restored {
    /// The verified file, not yet in its place.
    pub(crate) file: PathBuf,
    /// Whether the state that was asked about came by.
    pub(crate) passed_through: bool,
    pub(crate) segments: u64,
    /// Where in the log it stands.
    pub(crate) at: LogPlace,
    /// The generation in which the log goes on there.
    pub(crate) generation: Uuid,
}

/// A state of the local files that the log is known to have passed through.
pub(crate) struct LocalBase {
    pub(crate) view: PageView,
    pub(crate) sequence: u64,
    pub(crate) digest: Digest,
}

/// See the top of the file.
pub(crate) struct Restore<'a> {
    pub(crate) store: &'a dyn ReplicaStore,
    pub(crate) catalog: &'a Catalog,
    pub(crate) target: &'a Path,
    pub(crate) point: Point,
    /// A state to look out for on the way.
    pub(crate) wanted: Option<u64>,
    pub(crate) events: &'a EventSink,
    pub(crate) steps: &'a StepSink,
}

/// What was seen on the way.
struct Replay {
    passed_through: bool,
    /// Whether a segment behind the point came by.
    is_stopped: bool,
}

impl Restore<'_> {
    /// From the newest snapshot that is not behind the point and whose content is what it says.
    ///
    /// # Errors
    /// `NotFound` when nothing, or not this point, is kept; `Integrity` naming what is torn, missing or
    /// foreign. Nothing stands at the target then.
    pub(crate) async fn over_snapshot(&self) -> Result<Restored> {
        let mut ours = match self.point {
            Point::Newest => self.catalog.newest.clone(),
            point => self.catalog.snapshot_for(self.store, point, None).await?,
        };
        let mut foreign = self.catalog.foreign.iter();
        let mut last = None;
        while let Some(meta) = ours.take().or_else(|| foreign.next().cloned()) {
            (self.events)(Event::RecoveryStarted { generation: meta.generation.clone() });
            match self.one_snapshot(&meta).await {
                Err(error) if error.code() == "SNAPSHOT_CORRUPT" => {
                    (self.events)(Event::SyncError { error: error.clone(), context: "snapshot", will_retry: true });
                    remove_parts(self.target);
                    if meta.place.is_some() {
                        ours = self.catalog.snapshot_for(self.store, self.point, Some(&meta.generation)).await?;
                    }
                    last = Some(error);
                }
                done => return done,
            }
        }
        Err(last.unwrap_or_else(no_replica))
    }

    async fn one_snapshot(&self, meta: &SnapshotMeta) -> Result<Restored> {
        let part = self.part();
        self.download(meta, &part).await?;
        self.steps.tell(Step::RestoreBegun);
        let Some(place) = &meta.place else {
            let at = LogPlace { sequence: 0, digest: [0; 32], time_ms: from_iso(&meta.created_at).unwrap_or(0) };
            return Ok(Restored { file: part, passed_through: false, segments: 0, at, generation: layout::ROOT });
        };
        let chain = LogChain::behind(self.store, meta).await?;
        if let Point::Position(position) = self.point
            && chain.sequence < position
        {
            return Err(self.point.behind(chain.sequence));
        }
        let at = place.log_place()?;
        let (path, page_size) = (part.clone(), place.page_size);
        let file = blocking(move || RestoredFile::open(&path, page_size, at)).await?;
        if file.checksum != place.checksum()? {
            return Err(corrupt(meta, "is not the state that its description says"));
        }
        self.replay(file, chain, part).await
    }

    /// From a state of the local files: only what is missing is fetched.
    pub(crate) async fn local_base(&self, base: LocalBase, chain: LogChain) -> Result<Restored> {
        let part = self.part();
        (self.events)(Event::RecoveryStarted { generation: chain.generation.to_string() });
        let target = part.clone();
        let file = blocking(move || {
            let file = File::create(&target)?;
            let mut page = base.view.blank();
            for number in 1..=base.view.page_count {
                base.view.read(number, &mut page)?;
                std::io::Write::write_all(&mut &file, &page)?;
            }
            let at = LogPlace { sequence: base.sequence, digest: base.digest, time_ms: 0 };
            RestoredFile::open(&target, base.view.page_bytes, at)
        })
        .await?;
        self.replay(file, chain, part).await
    }

    async fn replay(&self, mut file: RestoredFile, mut chain: LogChain, part: PathBuf) -> Result<Restored> {
        let mut replay = Replay { passed_through: self.wanted == Some(file.checksum), is_stopped: false };
        let mut hole_at = None;
        loop {
            let hole;
            (file, hole) = self.replay_to_hole(file, &chain, &mut replay).await?;
            let Some(error) = hole else { break };
            // Packing may have moved segments since the log was listed; a hole is there when we look again.
            if hole_at.replace(file.at.sequence) == Some(file.at.sequence) {
                return Err(error);
            }
            chain = chain.again_behind(self.store, file.at, file.checksum).await?;
        }
        self.finish(file, &chain, part, &replay).await
    }

    /// Applies what is missing up to the point, the log's end, or the first segment that is not there.
    async fn replay_to_hole(
        &self,
        mut file: RestoredFile,
        chain: &LogChain,
        replay: &mut Replay,
    ) -> Result<(RestoredFile, Option<Error>)> {
        let point = self.point;
        let mut segments = chain.segments(self.store, file.at.sequence + 1, point.last_sequence());
        loop {
            let (sequence, bytes, key) = match segments.try_next().await {
                Ok(Some(next)) => next,
                Ok(None) => return Ok((file, None)),
                Err(error) if error.code() == "LOG_HOLE" => return Ok((file, Some(error))),
                Err(error) => return Err(error),
            };
            let taken;
            (file, taken) = blocking(move || {
                let taken = file.take(sequence, &bytes, point).map_err(|error| error.with("key", key))?;
                Ok((file, taken))
            })
            .await?;
            replay.passed_through |= self.wanted == Some(file.checksum);
            if !taken {
                replay.is_stopped = true;
                return Ok((file, None));
            }
        }
    }

    async fn finish(&self, file: RestoredFile, chain: &LogChain, part: PathBuf, replay: &Replay) -> Result<Restored> {
        let is_whole = file.at.sequence == chain.sequence
            && file.at.digest == chain.digest
            && chain.checksum.is_none_or(|checksum| checksum == file.checksum);
        let is_there = match self.point {
            Point::Newest => is_whole,
            Point::Position(position) => file.at.sequence == position,
            Point::Time(_) => is_whole || replay.is_stopped,
        };
        if !is_there {
            return Err(crate::segment::corrupt("is not where the log was said to end"));
        }
        let (segments, at) = (file.applied, file.at);
        blocking(move || file.finish()).await?;
        self.steps.tell(Step::RestoreVerified);
        Ok(Restored { file: part, passed_through: replay.passed_through, segments, at, generation: chain.generation })
    }

    async fn download(&self, meta: &SnapshotMeta, part: &Path) -> Result<()> {
        let key = layout::snapshot(&meta.generation);
        let missing = || corrupt(meta, "is missing");
        let mut body = self.store.get_stream(&key).await?.ok_or_else(missing)?;
        let mut options = tokio::fs::OpenOptions::new();
        let mut file = options.read(true).write(true).create_new(true).open(part).await?;
        let mut hash = Sha256::new();
        let mut size = 0;
        while let Some(chunk) = body.try_next().await? {
            hash.update(&chunk);
            size += chunk.len() as u64;
            file.write_all(&chunk).await?;
        }
        file.sync_all().await?;
        let is_same = size == meta.size && to_hex(&hash.finalize()) == meta.checksum;
        if !is_same {
            return Err(corrupt(meta, "does not match its checksum"));
        }
        let file = file.into_std().await;
        page_bytes_of(&file, part).map(|_| ()).map_err(|_| corrupt(meta, "is not a SQLite database"))
    }

    fn part(&self) -> PathBuf {
        beside(self.target, &format!(".restoring-{}", Uuid::new_v4().simple()))
    }
}

/// Puts a verified file in its place, on the disk.
pub(crate) fn put_in_place(restored: &Path, target: &Path) -> Result<()> {
    for suffix in ["-wal", "-shm", "-journal"] {
        let stale = beside(target, suffix);
        if stale.exists() {
            std::fs::remove_file(stale)?;
        }
    }
    std::fs::rename(restored, target)?;
    sync_folder(target)
}

/// Makes renames in a file's folder last.
pub(crate) fn sync_folder(path: &Path) -> Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Ok(File::open(folder)?.sync_all()?)
}

/// Runs blocking work off the async threads.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|error| Error::internal(error.to_string()))?
}

/// What was restored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestoredState {
    /// The segment whose state it is; 0 for a snapshot of remult-sqlite-s3, which has no log.
    pub position: u64,
    /// When the last transaction in it was committed, in milliseconds since the epoch.
    pub time_ms: u64,
    /// How many segments were applied.
    pub segments: u64,
    /// Bytes of the file.
    pub bytes: u64,
}

/// Restores a state of a database into a new file, without a lease.
///
/// # Errors
/// `Validation` with code `FILE_EXISTS` when the file is there, `NotFound` (`NO_REPLICA` when the bucket holds
/// nothing, `POINT_NOT_KEPT` when it does not hold this point), `Integrity` when what it holds is torn.
pub async fn restore(store: Arc<dyn ReplicaStore>, target: &Path, point: Point) -> Result<RestoredState> {
    if target.exists() {
        let message = format!("{} exists; give the path of a file that does not", target.display());
        return Err(Error::new(ErrorKind::Validation, "FILE_EXISTS", message));
    }
    remove_parts(target);
    let catalog = Catalog::read(&*store).await?;
    let events: EventSink = Arc::new(|_| ());
    let work = Restore {
        store: &*store,
        catalog: &catalog,
        target,
        point,
        wanted: None,
        events: &events,
        steps: &StepSink::default(),
    };
    let restored = work.over_snapshot().await.inspect_err(|_| remove_parts(target))?;
    put_in_place(&restored.file, target)?;
    let (position, time_ms) = (restored.at.sequence, restored.at.time_ms);
    Ok(RestoredState { position, time_ms, segments: restored.segments, bytes: std::fs::metadata(target)?.len() })
}

/// Removes what an interrupted restore left beside a file.
pub(crate) fn remove_parts(target: &Path) {
    let Some(name) = target.file_name().map(|name| format!("{}.restoring-", name.to_string_lossy())) else { return };
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(&name) {
            drop(std::fs::remove_file(entry.path()));
        }
    }
}

fn no_replica() -> Error {
    let message = "the bucket holds no database under this name; check bucket, keyPrefix and databaseName";
    Error::new(ErrorKind::NotFound, "NO_REPLICA", message)
}

fn corrupt(meta: &SnapshotMeta, why: &str) -> Error {
    let message = format!("the snapshot of generation {} {why}", meta.generation);
    Error::new(ErrorKind::Integrity, "SNAPSHOT_CORRUPT", message).with("generation", meta.generation.clone())
}
