use super::due::DayLength;
use super::rule::Lifecycle;
use super::scan::Scan;
use crate::engine::{Ending, Engine, EngineError, Role, UploadEntry, UploadQuery};

/// How many versions are looked at in one go.
const PAGE: usize = 1000;
/// How many are removed in one commit: other writes wait for it.
const BATCH: usize = 100;

/// What one pass over all buckets has ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LifecycleRun {
    /// Objects: deleted, or hidden by a delete marker where versions are kept.
    pub expired_objects: u64,
    /// Versions and delete markers that were not the newest of their key.
    pub removed_versions: u64,
    /// Delete markers with nothing behind them.
    pub removed_markers: u64,
    /// Uploads in parts.
    pub aborted_uploads: u64,
}

impl LifecycleRun {
    /// Whether nothing had ended.
    pub fn is_idle(&self) -> bool {
        *self == Self::default()
    }

    fn count(&mut self, role: Role) {
        match role {
            Role::Current => self.expired_objects += 1,
            Role::Noncurrent => self.removed_versions += 1,
            Role::LoneMarker => self.removed_markers += 1,
        }
    }
}

/// Goes once over all buckets and ends what their rules say. A pass that is broken off is made good by the next: what
/// it ended is gone, and the rest is found again.
///
/// # Errors
/// The engine's.
pub(crate) async fn run(engine: &Engine, day: DayLength, now_ms: u64) -> Result<LifecycleRun, EngineError> {
    let mut done = LifecycleRun::default();
    let mut after: Option<String> = None;
    loop {
        let page = engine.list_buckets(after.as_deref(), "", PAGE).await?;
        for bucket in &page.items {
            match run_bucket(engine, &bucket.name, (day, now_ms), &mut done).await {
                // Somebody deleted it meanwhile.
                Ok(()) | Err(EngineError::NoSuchBucket(_)) => {}
                Err(error) => return Err(error),
            }
        }
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(done),
        }
    }
}

async fn run_bucket(
    engine: &Engine,
    bucket: &str,
    (day, now_ms): (DayLength, u64),
    done: &mut LifecycleRun,
) -> Result<(), EngineError> {
    let Some(lifecycle) = Lifecycle::of(engine, bucket).await? else { return Ok(()) };
    if lifecycle.ends_versions() {
        end_versions(engine, bucket, &lifecycle, (day, now_ms), done).await?;
    }
    if lifecycle.aborts_uploads() {
        abort_uploads(engine, bucket, &lifecycle, (day, now_ms), done).await?;
    }
    Ok(())
}

async fn end_versions(
    engine: &Engine,
    bucket: &str,
    lifecycle: &Lifecycle,
    (day, now_ms): (DayLength, u64),
    done: &mut LifecycleRun,
) -> Result<(), EngineError> {
    let mut scan = Scan::new(lifecycle, day, now_ms);
    let mut after = None;
    loop {
        let page = engine.walk_versions(bucket, after.take(), PAGE).await?;
        after = page.last().filter(|_| page.len() == PAGE).map(|last| last.at.clone());
        let mut endings = Vec::new();
        for version in page {
            scan.take(version, &mut endings);
        }
        if after.is_none() {
            scan.finish(&mut endings);
        }
        for batch in endings.chunks(BATCH) {
            // Rules that were changed meanwhile are for the next pass.
            if Lifecycle::of(engine, bucket).await?.as_ref() != Some(lifecycle) {
                return Ok(());
            }
            end_batch(engine, bucket, batch, done).await?;
        }
        if after.is_none() {
            return Ok(());
        }
    }
}

async fn end_batch(
    engine: &Engine,
    bucket: &str,
    batch: &[Ending],
    done: &mut LifecycleRun,
) -> Result<(), EngineError> {
    let removed = engine.end_versions(bucket, batch.to_vec()).await?;
    for (ending, _) in batch.iter().zip(removed).filter(|(_, was_removed)| *was_removed) {
        done.count(ending.role);
    }
    Ok(())
}

async fn abort_uploads(
    engine: &Engine,
    bucket: &str,
    lifecycle: &Lifecycle,
    (day, now_ms): (DayLength, u64),
    done: &mut LifecycleRun,
) -> Result<(), EngineError> {
    let mut query = UploadQuery { max: PAGE, ..UploadQuery::default() };
    loop {
        let page = engine.list_uploads(bucket, query.clone()).await?;
        for entry in &page.entries {
            let UploadEntry::Upload(upload) = entry else { continue };
            let due = lifecycle.abortion(&upload.key, upload.initiated_at_ms, day);
            if due.is_none_or(|(at_ms, _)| at_ms > now_ms) {
                continue;
            }
            match engine.abort_upload(bucket, &upload.key, &upload.id).await {
                Ok(()) => done.aborted_uploads += 1,
                // Completed or aborted meanwhile.
                Err(EngineError::NoSuchUpload(_)) => {}
                Err(error) => return Err(error),
            }
        }
        match page.next {
            Some((key, upload)) => (query.after_key, query.after_upload) = (Some(key), upload),
            None => return Ok(()),
        }
    }
}
