//! What an open database is made of, and how its parts work together.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use holdfast_base::{Clock, Error, Result};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use uuid::{NoContext, Timestamp, Uuid};

use crate::backlog::{Backlog, not_replicated};
use crate::event::{Event, EventSink};
use crate::file_lock::FileLock;
use crate::lease::Lease;
use crate::ownership::Ownership;
use crate::reader_pool::ReaderPool;
use crate::restore::blocking;
use crate::retention::SHORT_LOG_BYTES;
use crate::segment_builder::SegmentBuilder;
use crate::settings::{ReplicaSettings, SyncMode};
use crate::shipper::{Order, Pace, Shipper};
use crate::snapshot::{LastSnapshot, SnapshotLimit, store_snapshot};
use crate::start::Started;
use crate::state_file::StateFile;
use crate::statement::{Rows, Statement};
use crate::status::Status;
use crate::store::ReplicaStore;
use crate::writer::Writer;

const MAX_WAITING_COMMITS: usize = 16_384;

/// Shared by a [`crate::Replica`], its transactions and its background tasks.
pub(crate) struct OpenDatabase {
    pub(crate) settings: ReplicaSettings,
    pub(crate) store: Arc<dyn ReplicaStore>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) events: EventSink,
    pub(crate) backlog: Arc<Backlog>,
    pub(crate) writer: Writer,
    pub(crate) readers: ReaderPool,
    turn: Arc<Semaphore>,
    orders: mpsc::Sender<Order>,
    position: Mutex<Option<watch::Receiver<SegmentBuilder>>>,
    /// Held by a snapshot while it reads the files, and by a checkpoint while it moves frames.
    files: Semaphore,
    /// The log's size in frames when a checkpoint was last tried.
    pub(crate) checkpointed_at: AtomicU64,
    pub(crate) lease: tokio::sync::Mutex<Option<Lease>>,
    pub(crate) ownership: Arc<Ownership>,
    holder: String,
    lock_id: Uuid,
    snapshot: Mutex<Option<LastSnapshot>>,
    /// A snapshot counts that did not before.
    pub(crate) snapshot_counts: Notify,
    tasks: Mutex<Vec<JoinHandle<()>>>,
    pub(crate) is_closed: AtomicBool,
    file_lock: Mutex<Option<FileLock>>,
    /// One writer of the state file at a time.
    state_file: tokio::sync::Mutex<()>,
}

impl fmt::Debug for OpenDatabase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replica").field("file", &self.settings.file).finish_non_exhaustive()
    }
}

impl OpenDatabase {
    pub(crate) fn begin(
        settings: ReplicaSettings,
        store: Arc<dyn ReplicaStore>,
        clock: Arc<dyn Clock>,
        events: EventSink,
        started: Started,
        lease: Lease,
        file_lock: FileLock,
    ) -> Result<Self> {
        let page_bytes = u64::from(started.builder.view.page_bytes);
        let max_frames = u32::try_from(settings.backlog_bytes / page_bytes).unwrap_or(u32::MAX).max(1);
        let backlog = Arc::new(Backlog::new(MAX_WAITING_COMMITS, max_frames, settings.mode == SyncMode::Sync));
        let steps = settings.steps.clone();
        let writer = Writer::start(&settings.sqlite(), Arc::clone(&backlog), Arc::clone(&clock), steps.clone())?;
        let ownership = Arc::new(Ownership::new(Arc::clone(&store), Arc::clone(&clock), lease.record.lock_id.clone()));
        if let Some(frame) = started.unshipped {
            backlog.add(0, frame, clock.now_ms());
        }
        let (sender, position) = watch::channel(started.builder.clone());
        let (orders, queue) = mpsc::channel(64);
        let interval_ms = if settings.mode == SyncMode::Sync { 0 } else { settings.interval_ms };
        let shipper = Shipper {
            store: Arc::clone(&store),
            backlog: Arc::clone(&backlog),
            builder: started.builder,
            events: Arc::clone(&events),
            pace: Pace { interval_ms, max_retries: settings.max_retries },
            ownership: Arc::clone(&ownership),
            steps,
            position: sender,
        };
        let tasks = vec![tokio::spawn(shipper.run(queue))];
        let lock_id = Uuid::parse_str(&lease.record.lock_id).unwrap_or_default();
        Ok(Self {
            readers: ReaderPool::new(settings.sqlite()),
            settings,
            store,
            clock,
            events,
            backlog,
            writer,
            turn: Arc::new(Semaphore::new(1)),
            orders,
            position: Mutex::new(Some(position)),
            files: Semaphore::new(1),
            checkpointed_at: AtomicU64::new(0),
            ownership,
            snapshot_counts: Notify::new(),
            holder: lease.record.holder.clone(),
            lease: tokio::sync::Mutex::new(Some(lease)),
            lock_id,
            snapshot: Mutex::new(started.snapshot),
            tasks: Mutex::new(tasks),
            is_closed: AtomicBool::new(false),
            file_lock: Mutex::new(Some(file_lock)),
            state_file: tokio::sync::Mutex::new(()),
        })
    }

    pub(crate) async fn finish_start(&self, recovered: bool) -> Result<()> {
        self.flush().await?;
        if self.snapshotted().is_none() {
            self.take_snapshot(true).await?;
        }
        self.write_state(false).await?;
        let generation = self.builder()?.end.generation.to_string();
        (self.events)(Event::Initialized { generation, recovered });
        Ok(())
    }

    pub(crate) async fn write(&self, statement: Arc<Statement>) -> Result<Rows> {
        let turn = self.turn().await?;
        let (rows, number) = self.writer.run(move |owner| owner.execute(&statement)).await?;
        drop(turn);
        self.acknowledge(number).await?;
        Ok(rows)
    }

    /// Waits for the writer's turn, and until writing is allowed.
    pub(crate) async fn turn(&self) -> Result<OwnedSemaphorePermit> {
        // First without a turn, so that all who wait are told at once; then again, with it.
        self.backlog.wait_open().await?;
        let turn = Arc::clone(&self.turn).acquire_owned().await.map_err(|_| Error::closed("the database"))?;
        self.backlog.wait_open().await?;
        Ok(turn)
    }

    /// In sync mode, waits until the commit is stored.
    pub(crate) async fn acknowledge(&self, number: Option<u64>) -> Result<()> {
        match number {
            Some(number) if self.settings.mode == SyncMode::Sync => {
                self.backlog.wait_stored(number).await.map_err(|error| not_replicated(&error))
            }
            _ => Ok(()),
        }
    }

    pub(crate) async fn flush(&self) -> Result<()> {
        let last = self.backlog.last();
        if self.backlog.progress().stored >= last {
            return Ok(());
        }
        drop(self.orders.try_send(Order::Flush));
        self.backlog.wait_stored(last).await.map_err(|error| not_replicated(&error))
    }

    /// Takes a snapshot; unless `always`, only when something changed since the last one.
    pub(crate) async fn take_snapshot(&self, always: bool) -> Result<()> {
        let _files = self.files.acquire().await.map_err(|_| Error::closed("the database"))?;
        if !always && !self.has_changed() {
            return Ok(());
        }
        let parent = self.builder()?.end.generation;
        let (reply, answer) = oneshot::channel();
        let order = Order::Rollover(self.generation_after(parent), reply);
        let refused = self.backlog.failed_while(|| self.is_closed.load(Ordering::SeqCst));
        self.orders.send(order).await.map_err(|_| Error::closed("the database"))?;
        let cut = tokio::select! {
            cut = answer => cut.map_err(|_| Error::closed("the database"))??,
            // Only at the end: a put that may have arrived can be left alone only by who never puts again.
            error = refused => return Err(error),
        };
        let parent = (!parent.is_nil()).then_some(parent);
        let position = self.subscribe().ok_or_else(|| Error::closed("the database"))?;
        let limit = SnapshotLimit { position, wal_bytes: self.settings.snapshot_wal_bytes };
        let meta = store_snapshot(&*self.store, &cut, parent, self.clock.now_ms(), limit, &self.settings.steps).await?;
        let last = LastSnapshot { checksum: cut.view.checksum, log_bytes: cut.end.log_bytes };
        *self.snapshot.lock().unwrap_or_else(PoisonError::into_inner) = Some(last);
        (self.events)(Event::SnapshotUploaded { generation: meta.generation, size: meta.size });
        self.snapshot_counts.notify_one();
        self.write_state(false).await
    }

    /// Whether a restore would read more of the log than of the snapshot.
    pub(crate) fn has_outgrown_snapshot(&self, builder: &SegmentBuilder) -> bool {
        let database_bytes = u64::from(builder.view.page_count) * u64::from(builder.view.page_bytes);
        let log_bytes = |last: LastSnapshot| builder.end.log_bytes.saturating_sub(last.log_bytes);
        self.snapshotted().is_some_and(|last| log_bytes(last) > database_bytes.max(SHORT_LOG_BYTES))
    }

    /// A new generation's id: sorts behind its parent's, also when this machine's clock is behind.
    fn generation_after(&self, parent: Uuid) -> Uuid {
        let parent_ms = parent.get_timestamp().map_or(0, |at| {
            let (seconds, nanos) = at.to_unix();
            seconds * 1000 + u64::from(nanos) / 1_000_000
        });
        let ms = self.clock.now_ms().max(parent_ms + 1);
        let nanos = u32::try_from(ms % 1000).unwrap_or(0) * 1_000_000;
        Uuid::new_v7(Timestamp::from_unix(NoContext, ms / 1000, nanos))
    }

    pub(crate) fn status(&self) -> Result<Status> {
        let builder = self.builder()?;
        let progress = self.backlog.progress();
        let (frames, oldest_ms) = self.backlog.lag();
        Ok(Status {
            generation: builder.end.generation.to_string(),
            position: builder.end.sequence,
            epoch: builder.end.epoch,
            local_commits: self.backlog.last(),
            durable_commits: progress.stored,
            lag_bytes: u64::from(frames) * u64::from(builder.view.page_bytes),
            lag_ms: oldest_ms.map_or(0, |oldest| self.clock.now_ms().saturating_sub(oldest)),
            holder: self.holder.clone(),
            last_error: progress.fenced.or(progress.failure),
        })
    }

    pub(crate) async fn close(&self) -> Result<()> {
        if self.is_closed.swap(true, Ordering::SeqCst) {
            return Ok(());
        }
        // Whoever has a turn ends first; nobody gets one after that.
        let turn = self.turn.acquire().await;
        let mut stored = self.flush().await;
        if stored.is_ok() {
            stored = self.ship_foreign().await;
        }
        self.turn.close();
        drop(turn);
        let progress = self.backlog.progress();
        if stored.is_ok() && self.has_changed() && progress.fenced.is_none() {
            stored = match progress.failure {
                // A snapshot by the clock is under way, and the bucket does not take it.
                Some(failure) => Err(failure),
                None => self.take_snapshot(false).await,
            };
        }
        drop(self.orders.try_send(Order::Stop));
        let tasks = std::mem::take(&mut *self.tasks());
        for task in tasks {
            task.abort();
            drop(task.await);
        }
        if stored.is_ok() {
            stored = self.write_state(true).await;
        }
        self.readers.close();
        self.writer.close();
        self.position.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(lease) = self.lease.lock().await.take() {
            let released = lease.release().await;
            stored = stored.and(released);
        }
        self.file_lock.lock().unwrap_or_else(PoisonError::into_inner).take();
        stored
    }

    pub(crate) fn has_changed(&self) -> bool {
        self.builder().is_ok_and(|builder| self.snapshotted().map(|last| last.checksum) != Some(builder.view.checksum))
    }

    async fn write_state(&self, closed: bool) -> Result<()> {
        let _turn = self.state_file.lock().await;
        let builder = self.builder()?;
        let state = StateFile::new(&builder.end, builder.view.checksum, self.lock_id, closed);
        let file = self.settings.file.clone();
        blocking(move || state.write(&file)).await
    }

    /// Where the stored state stands, from now on; `None` after the end.
    pub(crate) fn subscribe(&self) -> Option<watch::Receiver<SegmentBuilder>> {
        self.position.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn builder(&self) -> Result<SegmentBuilder> {
        let position = self.position.lock().unwrap_or_else(PoisonError::into_inner);
        position.as_ref().map(|position| position.borrow().clone()).ok_or_else(|| Error::closed("the database"))
    }

    fn snapshotted(&self) -> Option<LastSnapshot> {
        *self.snapshot.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn tasks(&self) -> std::sync::MutexGuard<'_, Vec<JoinHandle<()>>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves stored frames into the main file: with the writer's turn, when everything is stored, and while
    /// no snapshot reads the files.
    pub(crate) async fn checkpoint(&self) -> Result<()> {
        let Ok(_files) = self.files.try_acquire() else { return Ok(()) };
        let _turn = self.turn().await?;
        self.flush().await?;
        self.writer.run(|owner| owner.hold()).await?;
        let done = self.checkpoint_held().await;
        self.writer.run(|owner| owner.release()).await?;
        done
    }

    async fn checkpoint_held(&self) -> Result<()> {
        self.ship_foreign().await?;
        let frames = u64::from(self.builder()?.frame());
        self.write_state(false).await?;
        let is_complete = self.writer.run(|owner| owner.checkpoint()).await?;
        self.checkpointed_at.store(if is_complete { 0 } else { frames }, Ordering::SeqCst);
        if is_complete {
            let (reply, answer) = oneshot::channel();
            self.orders.send(Order::Checkpointed(reply)).await.map_err(|_| Error::closed("the database"))?;
            answer.await.map_err(|_| Error::closed("the database"))?;
        }
        Ok(())
    }

    /// Stores what another process has committed; the caller keeps this one from committing.
    async fn ship_foreign(&self) -> Result<()> {
        let builder = self.builder()?;
        if let Some(frame) = blocking(move || builder.unseen_commit()).await? {
            self.writer.run(move |owner| Ok(owner.note_foreign(frame))).await?;
        }
        self.flush().await
    }
}
