//! Tells what others commit to the same file.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use holdfast_base::{Clock, ErrorKind, Result};
use holdfast_sqlite::{CommitProbe, Database};
use tokio::task::JoinHandle;

use super::followers::{self, Changes, LEASE_MS};
use crate::ports::{Hear, News};

/// How often it is asked whether anybody committed; asking takes microseconds.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// When a follower says that it lives: long before its time is over.
const RENEW_AFTER_MS: u64 = LEASE_MS / 3;
/// After how many changes it says what it was told, so that they can be thrown away.
const RENEW_AFTER_CHANGES: i64 = 1000;

/// The task that follows, when there is one.
#[derive(Default)]
pub(super) struct Listener(Mutex<Option<JoinHandle<()>>>);

impl Listener {
    /// Tells what the follower finds, until `stop`. A second call takes the place of the first.
    pub(super) fn start(&self, follower: Follower, hear: Hear) {
        let task = tokio::spawn(follower.run(hear));
        if let Some(former) = self.0.lock().unwrap_or_else(PoisonError::into_inner).replace(task) {
            former.abort();
        }
    }

    /// Ends it; gives back the task that is ending, when there was one.
    pub(super) fn stop(&self) -> Option<JoinHandle<()>> {
        let task = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        task.inspect(JoinHandle::abort)
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Reads what others noted.
pub(super) struct Follower {
    database: Database,
    clock: Arc<dyn Clock>,
    origin: Arc<str>,
    probe: CommitProbe,
    /// The last change that it was told.
    told: i64,
    /// What it said of itself last: when, and up to which change.
    renewed_ms: u64,
    renewed_told: i64,
}

impl Follower {
    /// Follows from when this answers.
    pub(super) async fn begin(database: &Database, clock: &Arc<dyn Clock>, origin: &Arc<str>) -> Result<Self> {
        let probe = database.commit_probe()?;
        let (database, clock, origin) = (database.clone(), Arc::clone(clock), Arc::clone(origin));
        let mut follower = Self { database, clock, origin, probe, told: 0, renewed_ms: 0, renewed_told: 0 };
        follower.join().await?;
        Ok(follower)
    }

    async fn run(mut self, hear: Hear) {
        let mut is_behind = true;
        loop {
            match self.look(&mut is_behind, &hear).await {
                Ok(()) if is_behind => continue,
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::Closed => return,
                // Nothing is lost: it is read behind the same change later.
                Err(error) => tracing::debug!(code = error.code(), "others' changes can't be read now"),
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Tells what is new. `is_behind`: something is known to be.
    async fn look(&mut self, is_behind: &mut bool, hear: &Hear) -> Result<()> {
        let is_due = self.clock.now_ms() >= self.renewed_ms.saturating_add(RENEW_AFTER_MS)
            || self.told - self.renewed_told >= RENEW_AFTER_CHANGES;
        if is_due && !self.renew().await? {
            self.join().await?;
            hear(News::Gap);
        }
        *is_behind |= self.probe.has_news()?;
        if *is_behind {
            let Changes { news, told, follows } =
                self.database.read(|connection| followers::changes(connection, &self.origin, self.told))?;
            self.told = told;
            *is_behind = follows;
            if let Some(news) = news {
                hear(news);
            }
        }
        Ok(())
    }

    async fn join(&mut self) -> Result<()> {
        let (origin, clock) = (Arc::clone(&self.origin), Arc::clone(&self.clock));
        let joined = self.database.write(move |connection| {
            let now_ms = clock.now_ms();
            Ok((followers::join(connection, &origin, now_ms)?, now_ms))
        });
        (self.told, self.renewed_ms) = joined.await?;
        self.renewed_told = self.told;
        Ok(())
    }

    async fn renew(&mut self) -> Result<bool> {
        let (origin, clock, told) = (Arc::clone(&self.origin), Arc::clone(&self.clock), self.told);
        let renewed = self.database.write(move |connection| {
            let now_ms = clock.now_ms();
            Ok((followers::renew(connection, &origin, told, now_ms)?, now_ms))
        });
        let (is_alive, now_ms) = renewed.await?;
        (self.renewed_ms, self.renewed_told) = (now_ms, told);
        Ok(is_alive)
    }
}
