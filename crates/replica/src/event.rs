//! What replication tells its owner while it works.

use holdfast_base::Error;

/// Something happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// A segment is stored.
    WalUploaded {
        /// The generation of the log.
        generation: String,
        /// The segment's sequence.
        index: u64,
        /// Bytes of the object.
        size: u64,
    },
    /// A snapshot is stored and counts.
    SnapshotUploaded {
        /// The generation it begins.
        generation: String,
        /// Bytes of the object.
        size: u64,
    },
    /// The local file is being made from the bucket.
    RecoveryStarted {
        /// The generation whose snapshot is used, or that the local file already has.
        generation: String,
    },
    /// The local file is what the bucket holds.
    RecoveryCompleted {
        /// The generation of the log's end.
        generation: String,
        /// How many segments were applied.
        segments: u64,
    },
    /// The lease is ours.
    LockAcquired {
        /// Its id.
        lock_id: String,
    },
    /// The lease, or the log, belongs to somebody else now; nothing more is written.
    LockLost {
        /// What was seen.
        reason: String,
    },
    /// Talking to the bucket failed.
    SyncError {
        /// The failure.
        error: Error,
        /// What was tried.
        context: &'static str,
        /// Whether it is tried again by itself.
        will_retry: bool,
    },
    /// The local file had a history of its own; it is kept here.
    Diverged {
        /// Where the local file is now.
        kept: String,
    },
    /// The database is open.
    Initialized {
        /// The generation of the log.
        generation: String,
        /// Whether the local file was made or completed from the bucket.
        recovered: bool,
    },
}

/// Receives events; must not block.
pub type EventSink = std::sync::Arc<dyn Fn(Event) + Send + Sync>;
