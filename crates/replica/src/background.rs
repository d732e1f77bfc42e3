//! What goes on beside the calls: renewing the lease, snapshots by the clock, checkpoints of a large log.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::task::JoinHandle;

use crate::event::Event;
use crate::open_database::OpenDatabase;
use crate::packing::{PACKED_TOGETHER, Packing};
use crate::retention::Retention;
use crate::segment_builder::SegmentBuilder;

/// As good as never, and safe to add to a time.
const NEVER_MS: u64 = 365 * 24 * 3600 * 1000;
/// After a snapshot that failed.
const PAUSE_MS: u64 = 5000;

/// Starts the tasks; they run until they are aborted.
pub(crate) fn start(database: &Arc<OpenDatabase>) -> [JoinHandle<()>; 4] {
    [
        tokio::spawn(renew_lease(Arc::clone(database))),
        tokio::spawn(take_snapshots(Arc::clone(database))),
        tokio::spawn(checkpoint_when_large(Arc::clone(database))),
        tokio::spawn(keep_the_bucket_small(Arc::clone(database))),
    ]
}

async fn renew_lease(database: Arc<OpenDatabase>) {
    loop {
        tokio::time::sleep(Duration::from_millis(database.settings.lock_refresh_ms)).await;
        let mut lease = database.lease.lock().await;
        let Some(held) = lease.as_mut() else { return };
        let began = database.ownership.now();
        match held.renew().await {
            Ok(()) => database.ownership.seen(began),
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
    let Some(mut position) = database.subscribe() else { return };
    let interval_ms = match database.settings.snapshot_interval_ms {
        0 => NEVER_MS,
        interval_ms => interval_ms,
    };
    loop {
        let outgrown = position.wait_for(|builder| database.has_outgrown_snapshot(builder));
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(interval_ms)) => {}
            outgrown = outgrown => if outgrown.is_err() { return },
        }
        if !database.has_changed() {
            continue;
        }
        if let Err(error) = database.take_snapshot(false).await {
            if database.backlog.progress().fenced.is_some() || database.is_closed.load(Ordering::SeqCst) {
                return;
            }
            (database.events)(Event::SyncError { error, context: "snapshot", will_retry: true });
            tokio::time::sleep(Duration::from_millis(PAUSE_MS.min(interval_ms))).await;
        }
    }
}

/// Packs the log while it grows, and removes what is not needed any more after each snapshot.
async fn keep_the_bucket_small(database: Arc<OpenDatabase>) {
    let Some(mut position) = database.subscribe() else { return };
    let steps = || database.settings.steps.clone();
    let mut packing = Packing::new(Arc::clone(&database.store), steps());
    let clock = Arc::clone(&database.clock);
    let mut retention = Retention::new(Arc::clone(&database.store), clock, steps(), database.settings.retention_ms);
    let end = |builder: &SegmentBuilder| (builder.end.generation, builder.end.sequence);
    let (mut generation, mut packed) = end(&position.borrow());
    loop {
        let done = tokio::select! {
            () = database.snapshot_counts.notified() => retention.run().await.map_err(|error| (error, "retention")),
            changed = position.changed() => {
                if changed.is_err() {
                    return;
                }
                let (now_in, last) = end(&position.borrow_and_update());
                let grown = last.saturating_sub(packed) as usize;
                let done = if now_in != generation {
                    packing.run(generation, u64::MAX, 2).await
                } else if grown >= 2 * PACKED_TOGETHER {
                    packing.run(generation, last, PACKED_TOGETHER).await
                } else {
                    continue;
                };
                (generation, packed) = (now_in, last);
                done.map_err(|error| (error, "packing"))
            }
        };
        if database.backlog.progress().fenced.is_some() {
            return;
        }
        if let Err((error, context)) = done {
            (database.events)(Event::SyncError { error, context, will_retry: true });
        }
    }
}

async fn checkpoint_when_large(database: Arc<OpenDatabase>) {
    let Some(mut position) = database.subscribe() else { return };
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
