//! How long ago this process was last seen to own the log.
//!
//! The log's keys are the fence, and old keys are removed in the end. A process that slept through that would
//! find its next key free. So a put counts only when shortly before it began the log was ours for certain:
//! another put of ours had just been stored, or the lease was renewed. Otherwise the lease is read first. That
//! trusts no clock to be right, only this one's not to stand still while an hour passes elsewhere.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use holdfast_base::{Clock, Result};
use tokio::time::Instant;

use crate::layout::LOCK;
use crate::lease::{is_of, lost};
use crate::store::ReplicaStore;

/// Far below the shortest retention.
const FRESH_MS: u64 = 10 * 60 * 1000;

/// A moment, by two clocks: one may stand still while the machine sleeps, the other may be set.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    monotonic: Instant,
    wall_ms: u64,
}

/// Shared by who renews the lease and who stores segments.
pub(crate) struct Ownership {
    store: Arc<dyn ReplicaStore>,
    clock: Arc<dyn Clock>,
    lock_id: String,
    seen: Mutex<Moment>,
}

impl Ownership {
    /// Begins when the lease was just seen to be ours.
    pub(crate) fn new(store: Arc<dyn ReplicaStore>, clock: Arc<dyn Clock>, lock_id: String) -> Self {
        let now = Moment { monotonic: Instant::now(), wall_ms: clock.now_ms() };
        Self { store, clock, lock_id, seen: Mutex::new(now) }
    }

    pub(crate) fn now(&self) -> Moment {
        Moment { monotonic: Instant::now(), wall_ms: self.clock.now_ms() }
    }

    /// A request that only the owner can make, and that began then, was answered.
    pub(crate) fn seen(&self, began: Moment) {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = began;
    }

    /// Makes sure of it, by reading the lease when it was last seen too long ago.
    ///
    /// # Errors
    /// `Locked` with code `LOCK_LOST` when somebody else owns the log now, or had it meanwhile; a retryable
    /// error when it is not known.
    pub(crate) async fn confirm(&self) -> Result<()> {
        let seen = *self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.now();
        let is_fresh = now.monotonic.duration_since(seen.monotonic) <= Duration::from_millis(FRESH_MS)
            && now.wall_ms.saturating_sub(seen.wall_ms) <= FRESH_MS;
        if is_fresh {
            return Ok(());
        }
        match self.store.get(LOCK).await? {
            Some(there) if is_of(&there, &self.lock_id) => {
                self.seen(now);
                Ok(())
            }
            there => Err(lost(there.as_ref())),
        }
    }
}
