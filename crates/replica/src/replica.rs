//! A database that is open, and replicated.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use holdfast_base::{Clock, Error, Result};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use uuid::{NoContext, Timestamp, Uuid};

use crate::backlog::{Backlog, not_replicated};
use crate::event::{Event, EventSink};
use crate::file_lock::FileLock;
use crate::lease::{Lease, LeaseSettings};
use crate::reader_pool::{Answer, ReaderPool};
use crate::restore::blocking;
use crate::segment_builder::SegmentBuilder;
use crate::settings::{ReplicaSettings, SyncMode};
use crate::shipper::{Order, Pace, Shipper};
use crate::snapshot::store_snapshot;
use crate::start::{Start, Started};
use crate::state_file::StateFile;
use crate::statement::{Rows, Statement};
use crate::status::Status;
use crate::store::ReplicaStore;
use crate::transaction::Transaction;
use crate::writer::Writer;

const MAX_WAITING_COMMITS: usize = 16_384;

/// A replicated database. Clones share it.
#[derive(Clone, Debug)]
pub struct Replica {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    settings: ReplicaSettings,
    store: Arc<dyn ReplicaStore>,
    clock: Arc<dyn Clock>,
    events: EventSink,
    backlog: Arc<Backlog>,
    pub(crate) writer: Writer,
    readers: ReaderPool,
    turn: Arc<Semaphore>,
    orders: mpsc::Sender<Order>,
    position: Mutex<Option<watch::Receiver<SegmentBuilder>>>,
    /// Held by a snapshot while it reads the files, and by a checkpoint while it moves frames.
    files: Semaphore,
    /// The log's size in frames when a checkpoint was last tried.
    checkpointed_at: AtomicU64,
    lease: tokio::sync::Mutex<Option<Lease>>,
    holder: String,
    lock_id: Uuid,
    snapshot: Mutex<Option<u64>>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
    is_closed: AtomicBool,
    file_lock: Mutex<Option<FileLock>>,
    /// One writer of the state file at a time.
    state_file: tokio::sync::Mutex<()>,
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replica").field("file", &self.settings.file).finish_non_exhaustive()
    }
}

impl Replica {
    /// Opens the database: takes the lease, makes or completes the local file from the bucket, and begins
    /// to replicate. The first snapshot of a new replica is stored before it answers.
    ///
    /// # Errors
    /// `Config`, `Locked` (`DATABASE_LOCKED`, `FENCED`), `Capability` (`CONDITIONAL_WRITES_IGNORED`),
    /// `Integrity` (what is torn or missing in the bucket, or a local file that is not SQLite's),
    /// `Connection`, `Io`. The local file is as it was then.
    pub async fn open(
        settings: ReplicaSettings,
        store: Arc<dyn ReplicaStore>,
        clock: Arc<dyn Clock>,
        events: EventSink,
    ) -> Result<Self> {
        settings.check()?;
        let file_lock = FileLock::take(&settings.file)?;
        let state = StateFile::read(&settings.file);
        let lock_id = Uuid::new_v4();
        let dead = file_lock.claim(lock_id)?;
        let how = LeaseSettings {
            holder: settings.holder.clone(),
            ttl_ms: settings.lock_ttl_ms,
            wait_ms: settings.lock_wait_ms,
            force: settings.force_lock,
            allow_unsafe: settings.allow_unsafe_lock,
            lock_id,
            dead,
        };
        let mut lease = Lease::acquire(Arc::clone(&store), Arc::clone(&clock), &how).await?;
        events(Event::LockAcquired { lock_id: lease.record.lock_id.clone() });
        let start = Start { settings: &settings, store: &store, clock: &clock, events: &events, state };
        let started = match start.run(&mut lease).await {
            Ok(started) => started,
            Err(error) => {
                drop(lease.release().await);
                return Err(error);
            }
        };
        let recovered = started.recovered;
        let inner = Inner::begin(settings, store, clock, events, started, lease, file_lock)?;
        let replica = Self { inner: Arc::new(inner) };
        replica.spawn_tasks();
        if let Err(error) = replica.inner.finish_start(recovered).await {
            drop(replica.close().await);
            return Err(error);
        }
        Ok(replica)
    }

    /// Runs a statement on its own: a reading one sees what is committed, a writing one waits for its turn
    /// and, in sync mode, until it is stored.
    ///
    /// # Errors
    /// What SQLite refuses; `Validation` (`PRAGMA_REFUSED`, `ATTACH_REFUSED`, `TRANSACTION_REFUSED`,
    /// `MISSING_PARAMETER`); `Connection` with code `NOT_REPLICATED` (committed here, not stored) or
    /// `REPLICATION_BEHIND` (nothing written); `Locked` with code `FENCED` or `LOCK_LOST`.
    pub async fn execute(&self, statement: Statement) -> Result<Rows> {
        let inner = &self.inner;
        let statement = Arc::new(statement);
        let turn = inner.readers.turn().await?;
        let (reading, asked) = (Arc::clone(inner), Arc::clone(&statement));
        let answer = blocking(move || reading.readers.run(&asked)).await?;
        drop(turn);
        match answer {
            Answer::Rows(rows) => Ok(rows),
            Answer::ForWriter => inner.write(statement).await,
        }
    }

    /// Begins a transaction that stays open between calls. Everybody else's writes wait for its end.
    ///
    /// # Errors
    /// As [`Self::execute`].
    pub async fn begin(&self) -> Result<Transaction> {
        Transaction::begin(Arc::clone(&self.inner)).await
    }

    /// Answers when everything that is committed now is stored.
    ///
    /// # Errors
    /// `Connection` with code `NOT_REPLICATED` when it could not be stored.
    pub async fn sync(&self) -> Result<()> {
        self.inner.flush().await
    }

    /// Takes a snapshot, which begins a generation. Writers go on meanwhile.
    ///
    /// # Errors
    /// As [`Self::sync`].
    pub async fn snapshot(&self) -> Result<()> {
        self.inner.take_snapshot(true).await
    }

    /// How it is doing.
    ///
    /// # Errors
    /// `Closed`.
    pub fn status(&self) -> Result<Status> {
        self.inner.status()
    }

    /// Ends: waits for the open transaction, stores what is committed, takes a snapshot when something
    /// changed, frees the lease. Closing twice is fine.
    ///
    /// # Errors
    /// What kept it from storing everything; it is closed all the same, and the local file has all of it.
    pub async fn close(&self) -> Result<()> {
        self.inner.close().await
    }

    fn spawn_tasks(&self) {
        let tasks = [
            tokio::spawn(renew_lease(Arc::clone(&self.inner))),
            tokio::spawn(take_snapshots(Arc::clone(&self.inner))),
            tokio::spawn(checkpoint_when_large(Arc::clone(&self.inner))),
        ];
        self.inner.tasks().extend(tasks);
    }
}

impl Inner {
    fn begin(
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
        let backlog = Arc::new(Backlog::new(MAX_WAITING_COMMITS, max_frames));
        let writer = Writer::start(&settings.sqlite(), Arc::clone(&backlog), Arc::clone(&clock))?;
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

    async fn finish_start(&self, recovered: bool) -> Result<()> {
        self.flush().await?;
        if self.snapshotted().is_none() {
            self.take_snapshot(true).await?;
        }
        self.write_state(false).await?;
        let generation = self.builder()?.end.generation.to_string();
        (self.events)(Event::Initialized { generation, recovered });
        Ok(())
    }

    async fn write(&self, statement: Arc<Statement>) -> Result<Rows> {
        let turn = self.turn().await?;
        let (rows, number) = self.writer.run(move |owner| owner.execute(&statement)).await?;
        drop(turn);
        self.acknowledge(number).await?;
        Ok(rows)
    }

    /// Waits for the writer's turn, and until writing is allowed.
    pub(crate) async fn turn(&self) -> Result<OwnedSemaphorePermit> {
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

    async fn flush(&self) -> Result<()> {
        let last = self.backlog.last();
        if self.backlog.progress().stored >= last {
            return Ok(());
        }
        drop(self.orders.try_send(Order::Flush));
        self.backlog.wait_stored(last).await.map_err(|error| not_replicated(&error))
    }

    /// Takes a snapshot; unless `always`, only when something changed since the last one.
    async fn take_snapshot(&self, always: bool) -> Result<()> {
        let _files = self.files.acquire().await.map_err(|_| Error::closed("the database"))?;
        if !always && !self.has_changed() {
            return Ok(());
        }
        let parent = self.builder()?.end.generation;
        let (reply, answer) = oneshot::channel();
        let order = Order::Rollover(self.generation_after(parent), reply);
        self.orders.send(order).await.map_err(|_| Error::closed("the database"))?;
        let cut = answer.await.map_err(|_| Error::closed("the database"))??;
        let parent = (!parent.is_nil()).then_some(parent);
        let meta = store_snapshot(&*self.store, &cut, parent, self.clock.now_ms()).await?;
        *self.snapshot.lock().unwrap_or_else(PoisonError::into_inner) = Some(cut.view.checksum);
        (self.events)(Event::SnapshotUploaded { generation: meta.generation, size: meta.size });
        self.write_state(false).await
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

    fn status(&self) -> Result<Status> {
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

    async fn close(&self) -> Result<()> {
        if self.is_closed.swap(true, Ordering::SeqCst) {
            return Ok(());
        }
        // Whoever has a turn ends first; nobody gets one after that.
        let turn = self.turn.acquire().await;
        self.turn.close();
        drop(turn);
        let mut stored = self.flush().await;
        if stored.is_ok() && self.has_changed() && self.backlog.progress().fenced.is_none() {
            stored = self.take_snapshot(false).await;
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

    fn has_changed(&self) -> bool {
        self.builder().is_ok_and(|builder| self.snapshotted() != Some(builder.view.checksum))
    }

    async fn write_state(&self, closed: bool) -> Result<()> {
        let _turn = self.state_file.lock().await;
        let builder = self.builder()?;
        let state = StateFile::new(&builder.end, builder.view.checksum, self.lock_id, closed);
        let file = self.settings.file.clone();
        blocking(move || state.write(&file)).await
    }

    fn builder(&self) -> Result<SegmentBuilder> {
        let position = self.position.lock().unwrap_or_else(PoisonError::into_inner);
        position.as_ref().map(|position| position.borrow().clone()).ok_or_else(|| Error::closed("the database"))
    }

    fn snapshotted(&self) -> Option<u64> {
        *self.snapshot.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tasks(&self) -> std::sync::MutexGuard<'_, Vec<JoinHandle<()>>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves stored frames into the main file: with the writer's turn, when everything is stored, and while
    /// no snapshot reads the files.
    async fn checkpoint(&self) -> Result<()> {
        let Ok(_files) = self.files.try_acquire() else { return Ok(()) };
        let _turn = self.turn().await?;
        self.flush().await?;
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
}

async fn renew_lease(inner: Arc<Inner>) {
    loop {
        tokio::time::sleep(Duration::from_millis(inner.settings.lock_refresh_ms)).await;
        let mut lease = inner.lease.lock().await;
        let Some(held) = lease.as_mut() else { return };
        match held.renew().await {
            Ok(()) => {}
            Err(error) if error.code() == "LOCK_LOST" => {
                (inner.events)(Event::LockLost { reason: error.message().to_owned() });
                inner.backlog.fence(error);
                return;
            }
            Err(error) => (inner.events)(Event::SyncError { error, context: "lease", will_retry: true }),
        }
    }
}

async fn take_snapshots(inner: Arc<Inner>) {
    if inner.settings.snapshot_interval_ms == 0 {
        return;
    }
    loop {
        tokio::time::sleep(Duration::from_millis(inner.settings.snapshot_interval_ms)).await;
        if !inner.has_changed() {
            continue;
        }
        if let Err(error) = inner.take_snapshot(false).await {
            (inner.events)(Event::SyncError { error, context: "snapshot", will_retry: true });
        }
    }
}

async fn checkpoint_when_large(inner: Arc<Inner>) {
    let subscribed = inner.position.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let Some(mut position) = subscribed else { return };
    while position.changed().await.is_ok() {
        let (frame, page_bytes) = {
            let builder = position.borrow_and_update();
            (u64::from(builder.frame()), u64::from(builder.view.page_bytes))
        };
        let grown = frame.saturating_sub(inner.checkpointed_at.load(Ordering::SeqCst));
        if grown * page_bytes < inner.settings.wal_threshold_bytes.max(1) {
            continue;
        }
        if let Err(error) = inner.checkpoint().await {
            if inner.backlog.progress().fenced.is_some() || inner.is_closed.load(Ordering::SeqCst) {
                return;
            }
            (inner.events)(Event::SyncError { error, context: "checkpoint", will_retry: true });
        }
    }
}
