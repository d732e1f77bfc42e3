//! From whatever is on the disk and in the bucket to a local file that stands at the log's end.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use holdfast_base::{Clock, Error, ErrorKind, Result};
use uuid::Uuid;

use crate::catalog::Catalog;
use crate::event::{Event, EventSink};
use crate::lease::Lease;
use crate::local_history::{LocalHistory, LocalState, beside, open_files};
use crate::log_chain::LogChain;
use crate::point::Point;
use crate::restore::{LocalBase, Restore, Restored, blocking, put_in_place, remove_parts};
use crate::segment::SegmentKind;
use crate::segment_builder::{LogEnd, SegmentBuilder};
use crate::settings::ReplicaSettings;
use crate::shipper::{Placed, put_segment};
use crate::snapshot::LastSnapshot;
use crate::snapshot_meta::{SnapshotPlace, iso};
use crate::state_file::StateFile;
use crate::step::Step;
use crate::store::ReplicaStore;
use crate::writer::{prepare, remove_log};

/// How often the log may grow while we look, before we give up.
const ATTEMPTS: usize = 5;

/// A local file at the log's end.
pub(crate) struct Started {
    pub(crate) builder: SegmentBuilder,
    /// The last frame of the local log, when it holds commits that are not stored.
    pub(crate) unshipped: Option<u32>,
    pub(crate) recovered: bool,
    /// The newest snapshot; `None` when the bucket has none of ours.
    pub(crate) snapshot: Option<LastSnapshot>,
}

/// See the top of the file.
pub(crate) struct Start<'a> {
    pub(crate) settings: &'a ReplicaSettings,
    pub(crate) store: &'a Arc<dyn ReplicaStore>,
    pub(crate) clock: &'a Arc<dyn Clock>,
    pub(crate) events: &'a EventSink,
    pub(crate) state: Option<StateFile>,
}

impl Start<'_> {
    pub(crate) async fn run(&self, lease: &mut Lease) -> Result<Started> {
        remove_parts(&self.settings.file);
        for _ in 0..ATTEMPTS {
            let catalog = Catalog::read(&**self.store).await?;
            if let Some(error) = catalog.passed_over.clone() {
                (self.events)(Event::SyncError { error, context: "snapshot", will_retry: true });
            }
            let chain = catalog.newest_chain(&**self.store).await?;
            let settling = self.settle(&catalog, &chain);
            let (local, recovered) = lease.held_while(self.settings.lock_refresh_ms, settling).await?;
            if let Some(started) = self.own(&catalog, &chain, local, recovered, lease).await? {
                return Ok(started);
            }
        }
        let message = "the log keeps growing while this process tries to take it over; another process is writing it";
        Err(Error::new(ErrorKind::Locked, "DATABASE_LOCKED", message).retryable(true))
    }

    /// Makes the log ours. `None` when somebody was still writing to it: look again.
    async fn own(
        &self,
        catalog: &Catalog,
        chain: &LogChain,
        local: LocalHistory,
        recovered: bool,
        lease: &mut Lease,
    ) -> Result<Option<Started>> {
        let epoch = 1 + lease.record.epoch.max(chain.epoch);
        let end = LogEnd {
            generation: chain.generation,
            sequence: chain.sequence,
            digest: chain.digest,
            epoch,
            writer: Uuid::new_v4(),
            time_ms: if chain.time_ms == 0 { self.clock.now_ms() } else { chain.time_ms },
            log_bytes: chain.log_bytes,
        };
        let newest = local.newest;
        let base = match chain.checksum {
            None => newest.clone(),
            Some(_) => local.matching.ok_or_else(|| Error::internal("the local file does not stand on the log"))?,
        };
        let unshipped = (frame(&newest) > frame(&base)).then(|| frame(&newest));
        let mut builder = SegmentBuilder::new(end, base.view, base.cursor);
        // Our own clean end is still the log's end: our next segment seals it as well as an empty one would.
        let is_ours = self.state.as_ref().is_some_and(|state| {
            state.closed && state.sequence == chain.sequence && state.digest() == Some(chain.digest)
        });
        if !is_ours {
            let seal = builder.empty(SegmentKind::Seal)?;
            match self.seal(&seal).await? {
                Placed::Ours => builder = seal.after,
                // Somebody took the log between our look and our seal. Whoever has the lease looks again.
                Placed::Theirs(_) => return lease.renew().await.map(|()| None),
            }
        }
        self.note_epoch(lease, epoch, &builder.end.generation.to_string()).await?;
        let place = catalog.newest.as_ref().and_then(|meta| meta.place.as_ref());
        let last = |place: &SnapshotPlace| {
            Ok::<_, Error>(LastSnapshot { checksum: place.checksum()?, log_bytes: place.log_bytes })
        };
        let snapshot = place.map(last).transpose()?;
        Ok(Some(Started { builder, unshipped, recovered, snapshot }))
    }

    async fn note_epoch(&self, lease: &mut Lease, epoch: u64, generation: &str) -> Result<()> {
        let mut attempt = 0;
        loop {
            match lease.set_epoch(epoch, generation).await {
                Err(error) if error.code() == "LOCK_LOST" || attempt + 1 >= self.settings.max_retries => {
                    return Err(error);
                }
                Err(_) => attempt += 1,
                Ok(()) => return Ok(()),
            }
            tokio::time::sleep(std::time::Duration::from_millis(50 << attempt.min(6))).await;
        }
    }

    async fn seal(&self, seal: &crate::segment_builder::Built) -> Result<Placed> {
        let mut attempt = 0;
        loop {
            match put_segment(&**self.store, seal).await {
                Err(error) if attempt + 1 >= self.settings.max_retries => return Err(error),
                Err(_) => attempt += 1,
                Ok(placed) => return Ok(placed),
            }
            tokio::time::sleep(std::time::Duration::from_millis(50 << attempt.min(6))).await;
        }
    }

    /// Brings the local file onto the log. Whether that took the bucket.
    async fn settle(&self, catalog: &Catalog, chain: &LogChain) -> Result<(LocalHistory, bool)> {
        let file = self.settings.file.clone();
        let is_local = std::fs::metadata(&file).is_ok_and(|meta| meta.len() > 0);
        if is_local {
            let local = self.read_local(chain.checksum).await?;
            if chain.checksum.is_none() || local.matching.is_some() {
                return Ok((local, false));
            }
            self.replace_local(catalog, chain, &local.newest).await?;
        } else if catalog.is_empty() {
            if self.settings.file_must_exist {
                let message =
                    format!("{} does not exist, and the bucket holds no database under this name", file.display());
                return Err(Error::new(ErrorKind::NotFound, "FILE_MISSING", message));
            }
            return Ok((self.read_local(chain.checksum).await?, false));
        } else {
            let restored = self.restore(catalog, None).await?;
            put_in_place(&restored.file, &file)?;
            self.completed(&restored, chain);
        }
        let local = self.read_local(chain.checksum).await?;
        if chain.checksum.is_some() && local.matching.is_none() {
            return Err(Error::internal("the restored file does not stand at the log's end"));
        }
        Ok((local, true))
    }

    /// The local file is behind the log, or has a history of its own.
    async fn replace_local(&self, catalog: &Catalog, chain: &LogChain, newest: &LocalState) -> Result<()> {
        let file = &self.settings.file;
        if let Some((base, missing)) = self.known_base(chain, newest).await {
            match self.work(catalog, None).local_base(base, missing).await {
                Ok(restored) => {
                    put_in_place(&restored.file, file)?;
                    self.completed(&restored, chain);
                    return Ok(());
                }
                Err(error) if error.kind() == ErrorKind::Integrity => {
                    (self.events)(Event::SyncError { error, context: "catch up", will_retry: true });
                    remove_parts(file);
                }
                Err(error) => return Err(error),
            }
        }
        let restored = self.restore(catalog, Some(newest.view.checksum)).await?;
        if !restored.passed_through {
            let kept = move_aside(file, self.clock.now_ms())?;
            (self.events)(Event::Diverged { kept: kept.display().to_string() });
        }
        put_in_place(&restored.file, file)?;
        self.completed(&restored, chain);
        Ok(())
    }

    /// The local file as a place in the log, and the log from there, when the state file knows the place
    /// and the log still reaches back to it.
    async fn known_base(&self, chain: &LogChain, newest: &LocalState) -> Option<(LocalBase, LogChain)> {
        let state = self.state.as_ref().filter(|state| state.checksum() == Some(newest.view.checksum))?;
        let generation = Uuid::parse_str(&state.generation).ok()?;
        let base = LocalBase { view: newest.view.clone(), sequence: state.sequence, digest: state.digest()? };
        let missing = LogChain::from_place(&**self.store, generation, &base).await.ok()?;
        (missing.sequence == chain.sequence && missing.digest == chain.digest).then_some((base, missing))
    }

    async fn restore(&self, catalog: &Catalog, wanted: Option<u64>) -> Result<Restored> {
        let restored = self.work(catalog, wanted).over_snapshot().await;
        restored.inspect_err(|_| remove_parts(&self.settings.file))
    }

    fn work<'b>(&'b self, catalog: &'b Catalog, wanted: Option<u64>) -> Restore<'b> {
        let target = &self.settings.file;
        let (events, steps) = (self.events, &self.settings.steps);
        Restore { store: &**self.store, catalog, target, point: Point::Newest, wanted, events, steps }
    }

    fn completed(&self, restored: &Restored, chain: &LogChain) {
        self.settings.steps.tell(Step::RestoreDone);
        let generation = chain.generation.to_string();
        (self.events)(Event::RecoveryCompleted { generation, segments: restored.segments });
    }

    async fn read_local(&self, wanted: Option<u64>) -> Result<LocalHistory> {
        let settings = self.settings.sqlite();
        blocking(move || {
            prepare(&settings)?;
            LocalHistory::read(&settings.path, &open_files(&settings.path)?, wanted)
        })
        .await
    }
}

fn frame(state: &LocalState) -> u32 {
    state.cursor.map_or(0, |cursor| cursor.frame)
}

/// Keeps a database that is not the bucket's, with its log, under another name.
fn move_aside(file: &Path, now_ms: u64) -> Result<PathBuf> {
    let kept = beside(file, &format!(".diverged-{}", iso(now_ms).replace([':', '.'], "")));
    std::fs::rename(file, &kept)?;
    let log = beside(file, "-wal");
    if log.exists() {
        std::fs::rename(log, beside(&kept, "-wal"))?;
    }
    remove_log(file)?;
    Ok(kept)
}
