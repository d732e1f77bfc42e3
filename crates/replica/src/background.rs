//! What goes on beside the calls: renewing the lease, snapshots by the clock, checkpoints of a large log.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::task::JoinHandle;

use crate::event::Event;
use crate::open_database::OpenDatabase;

/// Starts the tasks; they run until they are aborted.
pub(crate) fn start(database: &Arc<OpenDatabase>) -> [JoinHandle<()>; 3] {
    [
        tokio::spawn(renew_lease(Arc::clone(database))),
        tokio::spawn(take_snapshots(Arc::clone(database))),
        tokio::spawn(checkpoint_when_large(Arc::clone(database))),
    ]
}

async fn renew_lease(database: Arc<OpenDatabase>) {
    loop {
        tokio::time::sleep(Duration::from_millis(database.settings.lock_refresh_ms)).await;
        let mut lease = database.lease.lock().await;
        let Some(held) = lease.as_mut() else { return };
        match held.renew().await {
            Ok(()) => {}
            Err(error) if error.code() == "LOCK_LOST" => {
                (database.events)(Event::LockLost { reason: error.message().to_owned() });
                database.backlog.fence(error);
                return;
            }
            Err(error) => (database.events)(Event::SyncError { error, context: "lease", will_retry: true }),
        }
    }
}

async fn take_snapshots(database: Arc<OpenDatabase>) {
    if database.settings.snapshot_interval_ms == 0 {
        return;
    }
    loop {
        tokio::time::sleep(Duration::from_millis(database.settings.snapshot_interval_ms)).await;
        if !database.has_changed() {
            continue;
        }
        if let Err(error) = database.take_snapshot(false).await {
            (database.events)(Event::SyncError { error, context: "snapshot", will_retry: true });
        }
    }
}

async fn checkpoint_when_large(database: Arc<OpenDatabase>) {
    let subscribed = database.position.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let Some(mut position) = subscribed else { return };
    while position.changed().await.is_ok() {
        let (frame, page_bytes) = {
            let builder = position.borrow_and_update();
            (u64::from(builder.frame()), u64::from(builder.view.page_bytes))
        };
        let grown = frame.saturating_sub(database.checkpointed_at.load(Ordering::SeqCst));
        if grown * page_bytes < database.settings.wal_threshold_bytes.max(1) {
            continue;
        }
        if let Err(error) = database.checkpoint().await {
            if database.backlog.progress().fenced.is_some() || database.is_closed.load(Ordering::SeqCst) {
                return;
            }
            (database.events)(Event::SyncError { error, context: "checkpoint", will_retry: true });
        }
    }
}
