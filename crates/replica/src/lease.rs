//! `lock.json`: who may write, by conditional requests. It keeps polite instances apart; the log itself is
//! what proves that there is one writer.
//!
//! Invariants: taken only over nothing, over our own dead process, by force, or after its ETag has stood
//! still for the whole time to live on our own monotonic clock; wall clocks decide nothing but messages.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use holdfast_base::{Clock, Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use uuid::Uuid;

use crate::layout::LOCK;
use crate::snapshot_meta::{from_iso, iso};
use crate::store::{Outcome, ReplicaStore, StoredObject};

/// What `lock.json` says; the first five fields are those of remult-sqlite-s3, which respects it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LockRecord {
    /// Of this instance.
    pub lock_id: String,
    /// Host, process and id, for people.
    pub holder: String,
    /// When it was taken, as ISO 8601.
    pub acquired_at: String,
    /// Until when it is meant to stand, as ISO 8601.
    pub expires_at: String,
    /// The generation of the log.
    #[serde(default)]
    pub generation: Option<String>,
    /// Who owns the log; only ever grows.
    #[serde(default)]
    pub epoch: u64,
    /// How long it stands without being renewed, in milliseconds.
    #[serde(default)]
    pub ttl_ms: Option<u64>,
}

/// How to take the lease.
#[derive(Clone, Debug)]
pub(crate) struct LeaseSettings {
    pub(crate) holder: String,
    pub(crate) ttl_ms: u64,
    pub(crate) wait_ms: u64,
    pub(crate) force: bool,
    pub(crate) allow_unsafe: bool,
    pub(crate) lock_id: Uuid,
    /// Leases of processes of this machine that are known to be dead.
    pub(crate) dead: Vec<String>,
}

/// The lease, held.
pub(crate) struct Lease {
    store: Arc<dyn ReplicaStore>,
    clock: Arc<dyn Clock>,
    ttl_ms: u64,
    is_safe: bool,
    pub(crate) record: LockRecord,
    etag: String,
}

impl Lease {
    /// Takes the lease, and proves that the bucket honours conditional requests.
    ///
    /// # Errors
    /// `Locked` with code `DATABASE_LOCKED` when somebody else holds it, `Capability` with code
    /// `CONDITIONAL_WRITES_IGNORED` when the bucket would let two instances hold it.
    pub(crate) async fn acquire(
        store: Arc<dyn ReplicaStore>,
        clock: Arc<dyn Clock>,
        settings: &LeaseSettings,
    ) -> Result<Self> {
        let started = Instant::now();
        let mut watched: Option<(String, Instant)> = None;
        loop {
            let now_ms = clock.now_ms();
            let there = store.get(LOCK).await?;
            let before = there.as_ref().and_then(|object| serde_json::from_slice::<LockRecord>(&object.bytes).ok());
            let record = new_record(settings, now_ms, before.as_ref().map_or(0, |record| record.epoch));
            let may_take = match (&there, &before) {
                (None, _) => true,
                (Some(object), before) => {
                    settings.force
                        || before.as_ref().is_some_and(|record| settings.dead.contains(&record.lock_id))
                        || stood_still(
                            &mut watched,
                            object,
                            settings.ttl_ms.max(before.as_ref().and_then(|record| record.ttl_ms).unwrap_or(0)),
                        )
                }
            };
            if may_take {
                if let Some(etag) = place(&*store, &record, there.as_ref()).await? {
                    let mut lease =
                        Self { store, clock, ttl_ms: settings.ttl_ms, is_safe: !settings.allow_unsafe, record, etag };
                    if let Err(error) = lease.probe().await {
                        drop(lease.release().await);
                        return Err(error);
                    }
                    return Ok(lease);
                }
                continue;
            }
            let expires_ms = before.as_ref().and_then(|record| from_iso(&record.expires_at)).unwrap_or(0);
            let waited_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
            if expires_ms > now_ms && waited_ms >= settings.wait_ms {
                return Err(locked(before.as_ref(), expires_ms - now_ms));
            }
            tokio::time::sleep(Duration::from_millis((settings.ttl_ms / 10).clamp(10, 1000))).await;
        }
    }

    /// Renews it.
    ///
    /// # Errors
    /// `Locked` with code `LOCK_LOST` when it is somebody else's now; a retryable error when it is not known.
    pub(crate) async fn renew(&mut self) -> Result<()> {
        let mut record = self.record.clone();
        record.expires_at = iso(self.clock.now_ms() + self.ttl_ms);
        let bytes = encode(&record)?;
        match self.store.replace(LOCK, bytes.clone(), &self.etag).await? {
            Outcome::Done(etag) => self.etag = etag,
            Outcome::Refused => match self.store.get(LOCK).await? {
                // An earlier, ambiguous renewal of ours.
                Some(there) if is_of(&there, &record.lock_id) => {
                    self.etag = there.etag;
                    return Err(Error::new(
                        ErrorKind::Connection,
                        "LOCK_RENEWAL",
                        "the lease's renewal is tried again",
                    ));
                }
                there => return Err(lost(there.as_ref())),
            },
        }
        self.record = record;
        Ok(())
    }

    /// Does long work while it is held: renews it meanwhile.
    ///
    /// # Errors
    /// Those of the work; `Locked` with code `LOCK_LOST`.
    pub(crate) async fn held_while<T>(&mut self, refresh_ms: u64, work: impl Future<Output = Result<T>>) -> Result<T> {
        tokio::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return done,
                () = tokio::time::sleep(Duration::from_millis(refresh_ms)) => match self.renew().await {
                    Err(error) if error.code() == "LOCK_LOST" => return Err(error),
                    // Tried again next time; what it stands for is proven when the log is sealed.
                    Ok(()) | Err(_) => {}
                },
            }
        }
    }

    /// Notes the log's owner in it.
    pub(crate) async fn set_epoch(&mut self, epoch: u64, generation: &str) -> Result<()> {
        self.record.epoch = epoch;
        self.record.generation = Some(generation.to_owned());
        self.renew().await
    }

    /// Frees it, when it is still ours.
    pub(crate) async fn release(self) -> Result<()> {
        self.store.delete(LOCK, &self.etag).await.map(drop)
    }

    /// A bucket that ignores conditions would accept this.
    async fn probe(&mut self) -> Result<()> {
        if !self.is_safe {
            return Ok(());
        }
        let Outcome::Done(etag) = self.store.create(LOCK, encode(&self.record)?).await? else { return Ok(()) };
        self.etag = etag;
        let message = "the bucket ignores conditional requests (If-None-Match), so two instances could write at once. \
                       Use a store that honours them, or set sync.allowUnsafeLock and make sure yourself that there is one";
        Err(Error::new(ErrorKind::Capability, "CONDITIONAL_WRITES_IGNORED", message))
    }
}

fn new_record(settings: &LeaseSettings, now_ms: u64, epoch: u64) -> LockRecord {
    let lock_id = settings.lock_id.to_string();
    LockRecord {
        holder: format!("{}-{}", settings.holder, &lock_id[..8]),
        lock_id,
        acquired_at: iso(now_ms),
        expires_at: iso(now_ms + settings.ttl_ms),
        generation: None,
        epoch,
        ttl_ms: Some(settings.ttl_ms),
    }
}

/// Puts our record where `there` was; its ETag, or `None` when somebody was faster.
async fn place(store: &dyn ReplicaStore, record: &LockRecord, there: Option<&StoredObject>) -> Result<Option<String>> {
    let bytes = encode(record)?;
    let placed = match there {
        None => store.create(LOCK, bytes).await?,
        Some(object) => store.replace(LOCK, bytes, &object.etag).await?,
    };
    match placed {
        Outcome::Done(etag) => Ok(Some(etag)),
        // Perhaps an ambiguous attempt of ours was stored after all.
        Outcome::Refused => {
            let now = store.get(LOCK).await?;
            Ok(now.filter(|object| is_of(object, &record.lock_id)).map(|object| object.etag))
        }
    }
}

fn stood_still(watched: &mut Option<(String, Instant)>, object: &StoredObject, ttl_ms: u64) -> bool {
    match watched {
        Some((etag, since)) if *etag == object.etag => since.elapsed() >= Duration::from_millis(ttl_ms),
        _ => {
            *watched = Some((object.etag.clone(), Instant::now()));
            false
        }
    }
}

fn encode(record: &LockRecord) -> Result<Bytes> {
    serde_json::to_vec(record).map(Bytes::from).map_err(|error| Error::internal(error.to_string()))
}

pub(crate) fn is_of(object: &StoredObject, lock_id: &str) -> bool {
    serde_json::from_slice::<LockRecord>(&object.bytes).is_ok_and(|record| record.lock_id == lock_id)
}

fn locked(record: Option<&LockRecord>, left_ms: u64) -> Error {
    let holder = record.map_or("an unknown process", |record| record.holder.as_str());
    let expires = record.map_or("", |record| record.expires_at.as_str());
    let seconds = left_ms.div_ceil(1000);
    let message = format!(
        "the database is locked by another process: {holder} (expires in {seconds} s). Stop it, wait, \
         set sync.lockWait, or take over with sync.forceLock"
    );
    Error::new(ErrorKind::Locked, "DATABASE_LOCKED", message)
        .with("holder", holder)
        .with("expiresAt", expires)
        .retryable(true)
}

pub(crate) fn lost(there: Option<&StoredObject>) -> Error {
    let record = there.and_then(|object| serde_json::from_slice::<LockRecord>(&object.bytes).ok());
    let holder = record.map_or_else(|| "nobody".to_owned(), |record| record.holder);
    let message =
        format!("the lease was taken over by {holder}; nothing more is written here. Open again to take it back");
    Error::new(ErrorKind::Locked, "LOCK_LOST", message).with("holder", holder)
}
