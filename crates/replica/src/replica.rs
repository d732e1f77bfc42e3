//! A database that is open, and replicated.

use std::sync::Arc;

use holdfast_base::{Clock, Result};
use uuid::Uuid;

use crate::background;
use crate::event::{Event, EventSink};
use crate::file_lock::FileLock;
use crate::lease::{Lease, LeaseSettings};
use crate::open_database::OpenDatabase;
use crate::reader_pool::Answer;
use crate::restore::blocking;
use crate::settings::ReplicaSettings;
use crate::start::Start;
use crate::state_file::StateFile;
use crate::statement::{Rows, Statement};
use crate::status::Status;
use crate::store::ReplicaStore;
use crate::transaction::Transaction;

/// A replicated database. Clones share it.
#[derive(Clone, Debug)]
pub struct Replica {
    inner: Arc<OpenDatabase>,
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
        let inner = OpenDatabase::begin(settings, store, clock, events, started, lease, file_lock)?;
        let replica = Self { inner: Arc::new(inner) };
        replica.inner.tasks().extend(background::start(&replica.inner));
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
}
