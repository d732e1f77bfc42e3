//! A database that follows another's log: it reads, never writes, and needs no lease.
//!
//! Invariants: the file is changed only while no statement runs and no connection is open, so each statement
//! sees one committed state; a segment is verified before it is written; what can't be followed any more is
//! restored anew.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::TryStreamExt;
use holdfast_base::{Clock, Error, ErrorKind, Result};
use holdfast_sqlite::rusqlite::Connection;
use tokio::sync::RwLock;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::catalog::Catalog;
use crate::event::{Event, EventSink};
use crate::file_lock::FileLock;
use crate::follower_file::FollowerFile;
use crate::layout;
use crate::log_chain::LogChain;
use crate::point::Point;
use crate::reader_pool::{install_on_follower, read_only};
use crate::restore::blocking;
use crate::statement::{Rows, Statement};
use crate::step::StepSink;
use crate::store::ReplicaStore;

/// So many looks that find nothing new are one request each; the next one looks at everything.
const QUICK_LOOKS: u64 = 20;

/// How to follow.
#[derive(Clone, Debug)]
pub struct FollowerSettings {
    /// The local file: a cache that belongs to this process while it is open.
    pub file: std::path::PathBuf,
    /// How often to look for what is new, in milliseconds. Default 1000.
    pub poll_ms: u64,
}

/// How far a follower has come.
#[derive(Clone, Debug)]
pub struct FollowerStatus {
    /// The generation of the log.
    pub generation: String,
    /// The last segment that is applied.
    pub position: u64,
    /// When the last transaction in it was committed, in milliseconds since the epoch.
    pub time_ms: u64,
    /// How long ago it last had all there was, in milliseconds.
    pub lag_ms: u64,
    /// What went wrong last, until a look succeeds.
    pub last_error: Option<Error>,
}

/// A following database. Clones share it.
#[derive(Clone, Debug)]
pub struct Follower {
    inner: Arc<Following>,
}

struct Following {
    settings: FollowerSettings,
    store: Arc<dyn ReplicaStore>,
    clock: Arc<dyn Clock>,
    events: EventSink,
    /// One look at a time: a slower one would go back.
    looking: tokio::sync::Mutex<()>,
    /// Statements share it; who changes the file has it alone.
    file: RwLock<Option<FollowerFile>>,
    idle: Mutex<Vec<Connection>>,
    progress: Mutex<FollowerStatus>,
    seen_all_ms: Mutex<u64>,
    task: Mutex<Option<JoinHandle<()>>>,
    file_lock: Mutex<Option<FileLock>>,
}

impl std::fmt::Debug for Following {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Follower").field("file", &self.settings.file).finish_non_exhaustive()
    }
}

impl Follower {
    /// Opens it: makes or completes the local file from the bucket, and follows from there.
    ///
    /// # Errors
    /// `NotFound` with code `NO_REPLICA`, `Locked` when the file is open elsewhere on this machine, `Integrity`
    /// naming what is torn in the bucket, `Connection`, `Io`.
    pub async fn open(
        settings: FollowerSettings,
        store: Arc<dyn ReplicaStore>,
        clock: Arc<dyn Clock>,
        events: EventSink,
    ) -> Result<Self> {
        let file_lock = FileLock::take(&settings.file)?;
        let now_ms = clock.now_ms();
        let progress = FollowerStatus {
            generation: Uuid::nil().to_string(),
            position: 0,
            time_ms: 0,
            lag_ms: 0,
            last_error: None,
        };
        let following = Following {
            settings,
            store,
            clock,
            events,
            looking: tokio::sync::Mutex::default(),
            file: RwLock::new(None),
            idle: Mutex::default(),
            progress: Mutex::new(progress),
            seen_all_ms: Mutex::new(now_ms),
            task: Mutex::default(),
            file_lock: Mutex::new(Some(file_lock)),
        };
        let inner = Arc::new(following);
        let kept = FollowerFile::reopen(&inner.settings.file).await;
        *inner.file.write().await = kept;
        inner.catch_up().await?;
        let generation = inner.progress().generation.clone();
        (inner.events)(Event::Initialized { generation, recovered: true });
        let task = tokio::spawn(follow(Arc::clone(&inner)));
        *inner.task.lock().unwrap_or_else(PoisonError::into_inner) = Some(task);
        Ok(Self { inner })
    }

    /// Runs a statement that only reads; it sees one committed state.
    ///
    /// # Errors
    /// What SQLite refuses; `Capability` with code `READ_ONLY` when it writes; `Closed`.
    pub async fn execute(&self, statement: Statement) -> Result<Rows> {
        let inner = Arc::clone(&self.inner);
        let file = inner.file.read().await;
        if file.is_none() {
            return Err(Error::closed("the follower"));
        }
        let reading = Arc::clone(&self.inner);
        blocking(move || reading.read(&statement)).await
    }

    /// Answers when everything that is stored now is applied.
    ///
    /// # Errors
    /// As [`Self::open`]; `Closed`.
    pub async fn sync(&self) -> Result<()> {
        self.inner.catch_up().await
    }

    /// How far it has come.
    pub fn status(&self) -> FollowerStatus {
        let inner = &self.inner;
        let seen_all_ms = *inner.seen_all_ms.lock().unwrap_or_else(PoisonError::into_inner);
        FollowerStatus { lag_ms: inner.clock.now_ms().saturating_sub(seen_all_ms), ..inner.progress().clone() }
    }

    /// Ends. Closing twice is fine.
    pub async fn close(&self) {
        let task = self.inner.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(task) = task {
            task.abort();
            drop(task.await);
        }
        self.inner.file.write().await.take();
        self.inner.forget_connections();
        self.inner.file_lock.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

/// How applying ended.
enum Outcome {
    AtEnd,
    /// The log does not lead on from here.
    OffTrack,
    Failed(Error),
}

async fn follow(following: Arc<Following>) {
    let mut looks = 0;
    loop {
        tokio::time::sleep(Duration::from_millis(following.settings.poll_ms)).await;
        looks += 1;
        let found = match following.has_next().await {
            Ok(false) if looks % QUICK_LOOKS != 0 => {
                following.has_seen_all();
                continue;
            }
            Ok(_) => following.catch_up().await,
            Err(error) => Err(error),
        };
        if let Err(error) = found {
            following.progress().last_error = Some(error.clone());
            (following.events)(Event::SyncError { error, context: "follow", will_retry: true });
        }
    }
}

impl Following {
    /// Whether the next segment is there: one small request.
    async fn has_next(&self) -> Result<bool> {
        let (generation, position) = {
            let progress = self.progress();
            (progress.generation.clone(), progress.position)
        };
        let generation = Uuid::parse_str(&generation).unwrap_or_default();
        Ok(self.store.get(&layout::segment(generation, position + 1)).await?.is_some())
    }

    /// Applies all there is.
    async fn catch_up(&self) -> Result<()> {
        let _looking = self.looking.lock().await;
        let catalog = Catalog::read(&*self.store).await?;
        let newest = catalog.newest_chain(&*self.store).await?;
        let mut file = self.file.write().await;
        if self.file_lock.lock().unwrap_or_else(PoisonError::into_inner).is_none() {
            return Err(Error::closed("the follower"));
        }
        let reached = match file.take() {
            None => self.restore_anew(&catalog).await?,
            Some(there) => {
                let (there, outcome) = self.apply(there, &newest).await;
                match outcome {
                    Outcome::AtEnd => there.ok_or_else(|| Error::internal("a follower at the end without a file"))?,
                    // Statements go on with what is there until there is something better.
                    Outcome::Failed(error) => {
                        *file = there;
                        return Err(error);
                    }
                    // Too far behind for what is kept, or another history.
                    Outcome::OffTrack => {
                        *file = there;
                        let restored = self.restore_anew(&catalog).await?;
                        file.take();
                        restored
                    }
                }
            }
        };
        let mut progress = self.progress();
        progress.generation = reached.generation.to_string();
        (progress.position, progress.time_ms) = (reached.at().sequence, reached.at().time_ms);
        progress.last_error = None;
        drop(progress);
        *file = Some(reached);
        self.has_seen_all();
        Ok(())
    }

    /// Brings the file to the log's end. It comes back in a state that statements may see, or not at all.
    async fn apply(&self, mut file: FollowerFile, newest: &LogChain) -> (Option<FollowerFile>, Outcome) {
        if file.at().sequence == newest.sequence && file.at().digest == newest.digest {
            file.generation = newest.generation;
            return (Some(file), Outcome::AtEnd);
        }
        let chain = match LogChain::onward(&*self.store, file.generation, file.at(), file.checksum()).await {
            Ok(chain) if (chain.sequence, chain.digest) == (newest.sequence, newest.digest) => chain,
            Ok(_) => return (Some(file), Outcome::OffTrack),
            Err(error) if error.kind() == ErrorKind::Integrity => return (Some(file), Outcome::OffTrack),
            Err(error) => return (Some(file), Outcome::Failed(error)),
        };
        self.forget_connections();
        let mut segments = chain.segments(&*self.store, file.at().sequence + 1, u64::MAX);
        let outcome = loop {
            let (sequence, bytes) = match segments.try_next().await {
                Ok(Some((sequence, bytes, _))) => (sequence, bytes),
                Ok(None) => break Outcome::AtEnd,
                // Packing has moved it, or it is torn: a restore looks again.
                Err(error) if error.kind() == ErrorKind::Integrity => break Outcome::OffTrack,
                Err(error) => break Outcome::Failed(error),
            };
            file = match blocking(move || file.take(sequence, &bytes)).await {
                Ok(file) => file,
                Err(error) if error.kind() == ErrorKind::Integrity => return (None, Outcome::OffTrack),
                Err(error) => return (None, Outcome::Failed(error)),
            };
        };
        drop(segments);
        if matches!(outcome, Outcome::AtEnd) {
            file.generation = chain.generation;
        }
        match blocking(move || file.settle()).await {
            Ok(file) => (Some(file), outcome),
            Err(error) => (None, Outcome::Failed(error)),
        }
    }

    async fn restore_anew(&self, catalog: &Catalog) -> Result<FollowerFile> {
        self.forget_connections();
        let target: &Path = &self.settings.file;
        let (events, steps) = (&self.events, &StepSink::default());
        let restore = crate::restore::Restore {
            store: &*self.store,
            catalog,
            target,
            point: Point::Newest,
            wanted: None,
            events,
            steps,
        };
        FollowerFile::restore(&restore, target).await
    }

    fn read(&self, statement: &Statement) -> Result<Rows> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match idle {
            Some(connection) => connection,
            None => {
                let mut connection = crate::restored_file::open_unchanging(&self.settings.file)?;
                install_on_follower(&mut connection)?;
                connection
            }
        };
        let rows = read_only(&connection, statement);
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        rows
    }

    fn forget_connections(&self) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn has_seen_all(&self) {
        *self.seen_all_ms.lock().unwrap_or_else(PoisonError::into_inner) = self.clock.now_ms();
    }

    fn progress(&self) -> std::sync::MutexGuard<'_, FollowerStatus> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
