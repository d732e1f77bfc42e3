//! Removes what no retained point needs, and snapshots that are not worth their bytes.
//!
//! Invariants:
//! - kept are the newest snapshot that is older than the window, everything behind it, and the two newest
//!   snapshots; so every point in the window, and the newest state, can be restored;
//! - a generation first stops to count, and only then its objects go: a crash leaves nothing half;
//! - what a former owner still removes, it would have been right to remove;
//! - generations of remult-sqlite-s3 are left alone.

use std::collections::HashSet;
use std::sync::Arc;

use holdfast_base::{Clock, Result};
use uuid::Uuid;

use crate::catalog::{generations, read_meta};
use crate::layout;
use crate::snapshot_meta::{SnapshotMeta, from_iso};
use crate::step::{Step, StepSink};
use crate::store::{KeyQuery, ReplicaStore};

/// A snapshot this young may be what a restore is reading.
const GRACE_MS: u64 = 10 * 60 * 1000;
/// After this long, what was listed is looked at again.
const PASS_MS: u64 = 10 * 60 * 1000;
/// An upload this old has no owner any more.
const UPLOAD_MS: u64 = 24 * 3600 * 1000;
/// So many are kept at least, when there are so many.
const SNAPSHOTS_IN_WINDOW: u64 = 4;
/// A log this short is applied faster than a small snapshot is worth.
pub(crate) const SHORT_LOG_BYTES: u64 = 4 << 20;

/// See the top of the file.
pub(crate) struct Retention {
    store: Arc<dyn ReplicaStore>,
    clock: Arc<dyn Clock>,
    steps: StepSink,
    retention_ms: u64,
    /// Generations whose log is kept and whose snapshot is gone.
    bare: HashSet<String>,
}

/// A snapshot that counts.
struct Counted {
    generation: String,
    time_ms: u64,
    created_ms: u64,
    bytes: u64,
    log_bytes: u64,
}

impl Retention {
    pub(crate) fn new(store: Arc<dyn ReplicaStore>, clock: Arc<dyn Clock>, steps: StepSink, retention_ms: u64) -> Self {
        Self { store, clock, steps, retention_ms, bare: HashSet::new() }
    }

    /// One pass. Stopped anywhere, the next one goes on.
    pub(crate) async fn run(&mut self) -> Result<()> {
        let now_ms = self.clock.now_ms();
        let all: Vec<String> = generations(&*self.store).await?.into_iter().filter(|id| is_ours(id)).rev().collect();
        self.bare.retain(|id| all.contains(id));
        let counted = self.counted(&all).await?;
        let horizon_ms = now_ms.saturating_sub(self.retention_ms);
        // Without a snapshot older than the window all of the log is in it, also what came before the first one.
        let base = counted.iter().rposition(|one| one.time_ms <= horizon_ms);
        let older = base.map_or("", |base| counted[base].generation.as_str());
        for generation in all.iter().filter(|id| id.as_str() < older) {
            if self.is_late(now_ms) {
                return Ok(());
            }
            let counts = counted.iter().any(|one| one.generation == *generation);
            self.remove_generation(generation, counts).await?;
        }
        for generation in superseded(&counted[base.unwrap_or(0)..], now_ms, self.retention_ms) {
            if self.is_late(now_ms) {
                return Ok(());
            }
            self.remove_snapshot(&generation, true).await?;
        }
        self.remove_uncounted(&all, &counted).await?;
        self.store.abort_uploads(now_ms.saturating_sub(UPLOAD_MS)).await.map(drop)
    }

    fn is_late(&self, started_ms: u64) -> bool {
        self.clock.now_ms().saturating_sub(started_ms) > PASS_MS
    }

    /// The snapshots that count, oldest first.
    async fn counted(&mut self, all: &[String]) -> Result<Vec<Counted>> {
        let mut counted = Vec::new();
        for generation in all.iter().filter(|id| !self.bare.contains(*id)) {
            match read_meta(&*self.store, generation).await {
                Ok(Some(meta)) => counted.extend(Counted::of(&meta)?),
                // What can't be read is removed with its generation, and not before.
                Err(error) if error.code() != "SNAPSHOT_META_CORRUPT" => return Err(error),
                Ok(None) | Err(_) => {}
            }
        }
        Ok(counted)
    }

    /// Snapshots that were stored and never counted, older than one that does.
    async fn remove_uncounted(&mut self, all: &[String], counted: &[Counted]) -> Result<()> {
        let Some(newest) = counted.last() else { return Ok(()) };
        for generation in all.iter().filter(|id| **id < newest.generation) {
            let counts = counted.iter().any(|one| one.generation == *generation);
            if !counts && !self.bare.contains(generation) {
                let key = layout::snapshot_meta(generation);
                if self.store.get(&key).await?.is_none() {
                    self.remove_snapshot(generation, false).await?;
                }
            }
        }
        Ok(())
    }

    async fn remove_snapshot(&mut self, generation: &str, counts: bool) -> Result<()> {
        if counts {
            self.store.remove(&[layout::snapshot_meta(generation)]).await?;
            self.steps.tell(Step::GenerationUncounted);
        }
        self.store.remove(&[layout::snapshot(generation)]).await?;
        self.bare.insert(generation.to_owned());
        Ok(())
    }

    async fn remove_generation(&mut self, generation: &str, counts: bool) -> Result<()> {
        if counts {
            self.store.remove(&[layout::snapshot_meta(generation)]).await?;
            self.steps.tell(Step::GenerationUncounted);
        }
        let query = KeyQuery { prefix: layout::generation(generation), ..KeyQuery::default() };
        loop {
            let page = self.store.list(&query).await?;
            let keys: Vec<String> = page.keys.into_iter().map(|listed| listed.key).collect();
            if keys.is_empty() {
                break;
            }
            self.store.remove(&keys).await?;
            self.steps.tell(Step::GenerationRemoved);
        }
        self.bare.remove(generation);
        Ok(())
    }
}

impl Counted {
    fn of(meta: &SnapshotMeta) -> Result<Option<Self>> {
        let Some(place) = &meta.place else { return Ok(None) };
        Ok(Some(Self {
            generation: meta.generation.clone(),
            time_ms: place.time_ms()?,
            created_ms: from_iso(&meta.created_at).unwrap_or(0),
            bytes: meta.size,
            log_bytes: place.log_bytes,
        }))
    }
}

/// Snapshots between others whose log is shorter than they are: leaving them out costs a restore no more than
/// a snapshot's bytes. `counted` begins with one that is kept.
fn superseded(counted: &[Counted], now_ms: u64, retention_ms: u64) -> Vec<String> {
    let Some((first, rest)) = counted.split_first() else { return Vec::new() };
    let mut kept = first;
    let mut superseded = Vec::new();
    for one in &rest[..rest.len().saturating_sub(2)] {
        let is_young = now_ms.saturating_sub(one.created_ms) < GRACE_MS;
        let log_bytes = one.log_bytes.saturating_sub(kept.log_bytes);
        // Some must grow old, or the window's beginning would never move.
        let is_far = one.time_ms.saturating_sub(kept.time_ms) >= retention_ms / SNAPSHOTS_IN_WINDOW;
        if is_young || is_far || log_bytes >= one.bytes.max(SHORT_LOG_BYTES) {
            kept = one;
        } else {
            superseded.push(one.generation.clone());
        }
    }
    superseded
}

/// Our ids sort by time; those of remult-sqlite-s3 do not.
fn is_ours(generation: &str) -> bool {
    Uuid::parse_str(generation).is_ok_and(|id| id == layout::ROOT || id.get_version_num() == 7)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(snapshots: &[(u64, u64)]) -> Vec<Counted> {
        let one = |(n, &(bytes, log_bytes)): (usize, &(u64, u64))| Counted {
            generation: n.to_string(),
            time_ms: 0,
            created_ms: 0,
            bytes,
            log_bytes,
        };
        snapshots.iter().enumerate().map(one).collect()
    }

    #[test]
    fn snapshots_are_kept_where_the_log_between_them_is_as_long_as_they_are() {
        let mb = 1 << 20;
        let all = counted(&[(10 * mb, 0), (10 * mb, 6 * mb), (10 * mb, 12 * mb), (10 * mb, 13 * mb), (mb, 14 * mb)]);
        assert_eq!(superseded(&all, u64::MAX, u64::MAX), ["1"]);
        let small = counted(&[(1, 0), (1, 100), (1, 200), (1, 300), (1, 400)]);
        assert_eq!(superseded(&small, u64::MAX, u64::MAX), ["1", "2"], "the two newest stay");
    }

    #[test]
    fn a_snapshot_far_from_the_one_before_it_stays() {
        let mut all = counted(&[(1, 0); 10]);
        for (n, one) in all.iter_mut().enumerate() {
            one.time_ms = n as u64 * 10;
        }
        assert_eq!(superseded(&all, u64::MAX, 80), ["1", "3", "5", "7"]);
    }

    #[test]
    fn a_young_snapshot_stays() {
        assert!(superseded(&counted(&[(1, 0), (1, 0), (1, 0), (1, 0)]), GRACE_MS - 1, u64::MAX).is_empty());
    }
}
