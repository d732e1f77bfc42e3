//! One flush for all writes that wait: a single put in flight, and each flush covers what was written before it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use holdfast_base::Result;
use slatedb::Db;
use tokio::sync::Mutex;

use super::failure::{flush_error, within_flush};

/// How far writes have reached the bucket.
#[derive(Debug, Default)]
pub(crate) struct Durability {
    /// The newest write.
    written: AtomicU64,
    /// The newest write that is in the bucket; held while a flush is under way.
    flushed: Mutex<u64>,
}

impl Durability {
    /// Waits until a write is in the bucket.
    pub(crate) async fn reach(&self, db: &Db, sequence: u64, timeout: Duration) -> Result<()> {
        self.written.fetch_max(sequence, Ordering::AcqRel);
        let turn = async {
            let mut flushed = self.flushed.lock().await;
            if *flushed < sequence {
                let covered = self.written.load(Ordering::Acquire);
                db.flush().await.map_err(|error| flush_error(&error))?;
                *flushed = covered;
            }
            Ok(())
        };
        within_flush(timeout, turn).await
    }
}
