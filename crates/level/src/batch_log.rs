//! Batches that are wholly there or not at all.
//!
//! A batch is committed by its journal, one object that is created only where none stands; then its writes are
//! applied, and the journal is removed. Whoever finds a journal standing waits for it, and completes it when it stays:
//! its process died, or lost its way to the bucket. Completing it twice, or beside its slow owner, does no harm,
//! because it only writes over what was there while the journal stood, and not over what is clearly newer.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex as SyncMutex, PoisonError};
use std::time::Duration;

use futures_util::stream::{self, StreamExt, TryStreamExt};
use holdfast_base::{Error, ErrorKind, Result};
use holdfast_s3_client::{OUTCOME_UNKNOWN, ObjectMeta, PutOptions};
use tokio::sync::{Mutex, oneshot};
use uuid::Uuid;

use crate::batch::Merged;
use crate::journal::{Journal, JournalPlace};
use crate::objects::{IN_FLIGHT, Objects};

/// What waiting batches may hold together to become one journal; a larger one comes alone.
const GROUP_BYTES: usize = 8 << 20;
/// A journal of this many bytes gives its writer another millisecond.
const BYTES_A_MS: u64 = 512;
/// A value counts as newer than a journal when it is this much younger: clocks of S3's machines differ, and its times
/// are in whole seconds.
const NEWER_MS: u64 = 1000;
const FIRST_PAUSE_MS: u64 = 20;
const LONGEST_PAUSE_MS: u64 = 500;
/// How often one write is tried whose condition can't be decided.
const ATTEMPTS: usize = 3;

/// The batches of a database, one group after the other. Clones share the turn.
#[derive(Clone, Debug)]
pub(crate) struct BatchLog {
    place: JournalPlace,
    /// How long a batch of another process may stand before it is completed in its place.
    patience_ms: u64,
    waiting: Arc<SyncMutex<VecDeque<Waiting>>>,
    /// Held while a group is written.
    turn: Arc<Mutex<()>>,
    /// A group was begun and broke off; its journal may stand.
    broken_off: Arc<AtomicBool>,
}

#[derive(Debug)]
struct Waiting {
    writes: Merged,
    answer: oneshot::Sender<Result<()>>,
}

impl BatchLog {
    pub(crate) fn new(place: JournalPlace, patience_ms: u64) -> Self {
        Self { place, patience_ms, waiting: Arc::default(), turn: Arc::default(), broken_off: Arc::default() }
    }

    /// Applies a batch, together with those that wait beside it.
    pub(crate) async fn write(&self, objects: &Objects, writes: Merged) -> Result<()> {
        let (answer, mut outcome) = oneshot::channel();
        self.queue().push_back(Waiting { writes, answer });
        loop {
            let _turn = self.turn.lock().await;
            match outcome.try_recv() {
                Ok(outcome) => return outcome,
                Err(oneshot::error::TryRecvError::Closed) => return Err(unfinished()),
                Err(oneshot::error::TryRecvError::Empty) => {}
            }
            let (journal, answers) = self.next_group();
            let written = self.write_group(objects, &journal).await;
            for answer in answers {
                // Who no longer waits wants no answer.
                let _ = answer.send(written.clone());
            }
        }
    }

    /// Completes a batch of this database that broke off before. One that is under way is not waited for.
    pub(crate) async fn settle(&self, objects: &Objects) -> Result<()> {
        if !self.broken_off.load(Ordering::Acquire) {
            return Ok(());
        }
        let _turn = self.turn.lock().await;
        self.finish(objects).await
    }

    /// Waits for a batch of another process, and completes it when it stays.
    pub(crate) async fn give_way(&self, objects: &Objects) -> Result<()> {
        let (mut seen, mut waited_ms, mut pause_ms) = (None, 0, FIRST_PAUSE_MS);
        while let Some(standing) = self.place.look().await? {
            if seen.as_ref() != Some(&standing.etag) {
                (seen, waited_ms, pause_ms) = (Some(standing.etag), 0, FIRST_PAUSE_MS);
            } else if waited_ms >= self.patience_ms + standing.size / BYTES_A_MS {
                return self.complete(objects).await;
            }
            tokio::time::sleep(Duration::from_millis(pause_ms)).await;
            waited_ms += pause_ms;
            pause_ms = (pause_ms * 2).min(LONGEST_PAUSE_MS);
        }
        Ok(())
    }

    /// Forgets a batch that broke off, with all of the database.
    pub(crate) async fn clear(&self) -> Result<()> {
        self.place.clear().await
    }

    async fn write_group(&self, objects: &Objects, journal: &Journal) -> Result<()> {
        self.finish(objects).await?;
        // Also when this future is dropped, the journal may stand.
        let mut group = Group { broken_off: &self.broken_off, whole: false };
        let id = Uuid::new_v4().to_string();
        let etag = loop {
            match self.place.create(journal, &id).await {
                Ok(Some(etag)) => break etag,
                Ok(None) => self.give_way(objects).await?,
                Err(error) => {
                    // Only an unknown outcome can have left a journal behind.
                    group.whole = error.code() != OUTCOME_UNKNOWN;
                    return Err(error);
                }
            }
        };
        let patience = Duration::from_millis(self.patience_ms + journal.bytes() as u64 / BYTES_A_MS);
        match tokio::time::timeout(patience, objects.apply(journal)).await {
            Ok(Ok(())) => self.place.remove(&etag).await.map_err(|_| unfinished())?,
            // Others may have lost their patience too: from here on only what is safe beside them.
            Ok(Err(_)) | Err(_) => self.complete(objects).await.map_err(|_| unfinished())?,
        }
        group.whole = true;
        Ok(())
    }

    async fn finish(&self, objects: &Objects) -> Result<()> {
        if self.broken_off.load(Ordering::Acquire) {
            self.complete(objects).await?;
            self.broken_off.store(false, Ordering::Release);
        }
        Ok(())
    }

    /// Applies the standing journal where nothing newer was written, and removes it.
    async fn complete(&self, objects: &Objects) -> Result<()> {
        let Some((journal, stood)) = self.place.find().await? else { return Ok(()) };
        let keys = journal.puts.iter().map(|(key, _)| key).chain(&journal.dels).cloned().collect::<Vec<_>>();
        let found: Vec<Option<ObjectMeta>> = stream::iter(keys)
            .map(|key| async move { objects.bucket.head(&key).await })
            .buffered(IN_FLIGHT)
            .try_collect()
            .await?;
        // What was found is older than the journal's end only when the journal still stands now.
        if self.place.look().await?.is_none_or(|now| now.etag != stood.etag) {
            return Ok(());
        }
        let values = journal.puts.into_iter().map(|(key, value)| (key, Some(value)));
        let writes = values.chain(journal.dels.into_iter().map(|key| (key, None))).zip(found);
        stream::iter(writes)
            .map(|((key, value), found)| redo(objects, &stood, key, value, found))
            .buffer_unordered(IN_FLIGHT)
            .try_collect::<()>()
            .await?;
        self.place.remove(&stood.etag).await
    }

    fn next_group(&self) -> (Journal, Vec<oneshot::Sender<Result<()>>>) {
        let mut waiting = self.queue();
        let (mut writes, mut answers) = (Merged::default(), Vec::new());
        while let Some(next) = waiting.front() {
            if !answers.is_empty() && writes.bytes() + next.writes.bytes() > GROUP_BYTES {
                break;
            }
            let Some(next) = waiting.pop_front() else { break };
            writes.extend(next.writes);
            answers.push(next.answer);
        }
        (writes.into_journal(), answers)
    }

    fn queue(&self) -> std::sync::MutexGuard<'_, VecDeque<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A group that is being written.
struct Group<'a> {
    broken_off: &'a AtomicBool,
    whole: bool,
}

impl Drop for Group<'_> {
    fn drop(&mut self) {
        if !self.whole {
            self.broken_off.store(true, Ordering::Release);
        }
    }
}

/// One write of a journal, over what was found before it; what another wrote since stays.
async fn redo(
    objects: &Objects,
    journal: &ObjectMeta,
    key: String,
    value: Option<bytes::Bytes>,
    mut found: Option<ObjectMeta>,
) -> Result<()> {
    let mut attempts_left = ATTEMPTS;
    loop {
        if found.as_ref().is_some_and(|found| found.modified_ms > journal.modified_ms + NEWER_MS) {
            return Ok(());
        }
        let outcome = match (&value, &found) {
            (Some(value), None) => objects.bucket.put(&key, value.clone(), &PutOptions::absent()).await.map(drop),
            (Some(value), Some(found)) => {
                objects.bucket.put(&key, value.clone(), &PutOptions::replacing(&found.etag)).await.map(drop)
            }
            (None, None) => return Ok(()),
            (None, Some(found)) => objects.bucket.delete(&key, Some(&found.etag)).await,
        };
        attempts_left -= 1;
        match outcome {
            Err(error) if matches!(error.kind(), ErrorKind::Conflict | ErrorKind::NotFound) => return Ok(()),
            Err(error) if error.code() == OUTCOME_UNKNOWN && attempts_left > 0 => {
                found = objects.bucket.head(&key).await?;
            }
            outcome => return outcome,
        }
    }
}

fn unfinished() -> Error {
    let message = "the batch is stored in its journal and not yet applied; the next call, or the next opening, applies \
                   it: read its keys then";
    Error::new(ErrorKind::Connection, "LEVEL_OUTCOME_UNKNOWN", message)
}
