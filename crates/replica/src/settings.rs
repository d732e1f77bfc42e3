//! How a database is replicated.

use std::path::PathBuf;

use holdfast_base::{Error, ErrorKind, Result};

use crate::step::StepSink;

/// A paused instance is sure to notice within it that it was taken over.
const LEAST_RETENTION_MS: u64 = 3600 * 1000;

/// When a write is acknowledged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SyncMode {
    /// After the local commit; it is stored soon after.
    #[default]
    Async,
    /// When it is stored.
    Sync,
}

/// Settings of one replicated database.
#[derive(Clone, Debug)]
pub struct ReplicaSettings {
    /// The local database file.
    pub file: PathBuf,
    /// Refuse to make a new database when there is neither a local file nor one in the bucket. Default false.
    pub file_must_exist: bool,
    /// How long SQLite waits for another process's lock. Default 5,000.
    pub busy_timeout_ms: u32,
    /// Default [`SyncMode::Async`].
    pub mode: SyncMode,
    /// In async mode: how long commits gather before they are shipped together. Default 100.
    pub interval_ms: u64,
    /// The log is checkpointed when it is larger and all of it is stored. Default 1 MiB.
    pub wal_threshold_bytes: u64,
    /// Writers wait when more than this is committed and not stored. Default 64 MiB.
    pub backlog_bytes: u64,
    /// A snapshot is given up when the local log grows larger than this beside it. Default 512 MiB.
    pub snapshot_wal_bytes: u64,
    /// A snapshot is taken this often when something changed. Default 300,000; 0 takes none by the clock.
    pub snapshot_interval_ms: u64,
    /// Every state of this long ago can be restored; what no such state needs is removed. Default 86,400,000;
    /// at least an hour.
    pub retention_ms: u64,
    /// Attempts before waiting writes are told. Default 3.
    pub max_retries: u32,
    /// How long the lease stands without being renewed. Default 60,000.
    pub lock_ttl_ms: u64,
    /// How often it is renewed. Default 30,000.
    pub lock_refresh_ms: u64,
    /// How long to wait for somebody else's lease to end. Default 0.
    pub lock_wait_ms: u64,
    /// Take the lease from whoever holds it. Default false.
    pub force_lock: bool,
    /// Go on when the bucket ignores conditional requests. Default false.
    pub allow_unsafe_lock: bool,
    /// Host and process, for people who read the lease.
    pub holder: String,
    /// Is told each step that a crash could fall behind. Default: nobody.
    pub steps: StepSink,
}

impl ReplicaSettings {
    /// The defaults for a file.
    pub fn new(file: impl Into<PathBuf>) -> Self {
        Self {
            file: file.into(),
            file_must_exist: false,
            busy_timeout_ms: 5000,
            mode: SyncMode::default(),
            interval_ms: 100,
            wal_threshold_bytes: 1 << 20,
            backlog_bytes: 64 << 20,
            snapshot_wal_bytes: 512 << 20,
            snapshot_interval_ms: 300_000,
            retention_ms: 24 * 3600 * 1000,
            max_retries: 3,
            lock_ttl_ms: 60_000,
            lock_refresh_ms: 30_000,
            lock_wait_ms: 0,
            force_lock: false,
            allow_unsafe_lock: false,
            holder: "holdfast".to_owned(),
            steps: StepSink::default(),
        }
    }

    /// # Errors
    /// `Config` with code `INVALID_OPTION` naming the option and what it may be.
    pub(crate) fn check(&self) -> Result<()> {
        let wrong = if self.file.as_os_str().is_empty() {
            Some("file is empty; give the path of the database file")
        } else if self.file.as_os_str() == ":memory:" {
            Some("file is ':memory:'; replication needs a file on the disk")
        } else if self.max_retries == 0 {
            Some("sync.maxRetries is 0; give at least 1")
        } else if self.lock_ttl_ms < 100 {
            Some("sync.lockTtl is below 100 ms; give at least 100")
        } else if self.lock_refresh_ms == 0 || self.lock_refresh_ms >= self.lock_ttl_ms {
            Some("sync.lockRefresh must be above 0 and below sync.lockTtl")
        } else if self.retention_ms < LEAST_RETENTION_MS {
            Some("sync.retention is below an hour; give at least 3600000")
        } else if self.interval_ms > 60_000 {
            Some("sync.interval is above a minute; give at most 60000")
        } else {
            None
        };
        wrong.map_or(Ok(()), |why| Err(Error::new(ErrorKind::Config, "INVALID_OPTION", why)))
    }

    pub(crate) fn sqlite(&self) -> holdfast_sqlite::Settings {
        holdfast_sqlite::Settings {
            busy_timeout_ms: self.busy_timeout_ms,
            ..holdfast_sqlite::Settings::new(self.file.clone())
        }
    }
}
