//! Object lock of buckets, and of versions that stay as they are.

use holdfast_base::{Error, ErrorKind};
use holdfast_sqlite::Work;
use holdfast_sqlite::rusqlite::Connection;

use super::index::buckets::{self, BucketState};
use super::index::chosen::Chosen;
use super::index::documents;
use super::opening::no_such_bucket;
use super::puts::check_key;
use super::reads::missing_to_change;
use super::{
    DefaultRetention, Engine, EngineError, ObjectAttributes, ObjectLock, Result, Retention, VersionId, Versioning,
};

/// The document that holds a bucket's default retention.
const DEFAULT_RETENTION_DOCUMENT: &str = "default-retention";

/// What is to become of a version's lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockChange {
    /// Another retention, or none.
    Retention {
        /// `None` removes it.
        retention: Option<Retention>,
        /// Whether the caller may weaken one of mode `GOVERNANCE`.
        bypasses_governance: bool,
    },
    /// A legal hold, on or off.
    LegalHold(bool),
}

impl Engine {
    /// Turns object lock on for a bucket that has versioning enabled, which it keeps from then on, and sets the
    /// retention of new versions that bring none.
    ///
    /// # Errors
    /// `NoSuchBucket`, `NeedsVersioning`, `Storage`.
    pub async fn set_object_lock(&self, bucket: &str, default: Option<DefaultRetention>) -> Result<()> {
        let bucket = bucket.to_owned();
        let text = default.map(|default| serde_json::to_string(&default)).transpose().map_err(|_| corrupt())?;
        self.to_the_end(move |shared| {
            shared.write(move |connection| {
                let Some(state) = buckets::state(connection, &bucket)? else { return no_such_bucket(&bucket) };
                if state.versioning != Versioning::Enabled {
                    return Ok(Err(EngineError::NeedsVersioning));
                }
                buckets::enable_object_lock(connection, state.id)?;
                match text {
                    Some(text) => documents::set(connection, state.id, DEFAULT_RETENTION_DOCUMENT, &text)?,
                    None => drop(documents::delete(connection, state.id, DEFAULT_RETENTION_DOCUMENT)?),
                }
                Ok(Ok(()))
            })
        })
        .await
    }

    /// The retention that a bucket with object lock gives to new versions; `None` where it gives none.
    ///
    /// # Errors
    /// `NoSuchBucket`, `NoObjectLock`, `Storage`.
    pub async fn default_retention(&self, bucket: &str) -> Result<Option<DefaultRetention>> {
        let bucket = bucket.to_owned();
        self.read(move |connection| {
            let Some(state) = buckets::state(connection, &bucket)? else { return no_such_bucket(&bucket) };
            Ok(if state.has_object_lock { Ok(default_of(connection, state)?) } else { Err(EngineError::NoObjectLock) })
        })
        .await
    }

    /// Changes the lock of an object or of a version. Gives the id of the version that was meant.
    ///
    /// # Errors
    /// `NoSuchBucket`, `NoObjectLock`, `NoSuchKey`, `NoSuchVersion`, `IsDeleteMarker`, `Locked` (the retention that is
    /// there may not be weakened), `KeyTooLong`, `Storage`.
    pub async fn change_lock(
        &self,
        bucket: &str,
        key: &str,
        version: Option<VersionId>,
        change: LockChange,
    ) -> Result<VersionId> {
        check_key(key)?;
        let (bucket, key) = (bucket.to_owned(), key.to_owned());
        self.to_the_end(move |shared| {
            let now_ms = shared.clock.now_ms();
            shared.write(move |connection| {
                let Some(state) = buckets::state(connection, &bucket)? else { return no_such_bucket(&bucket) };
                if !state.has_object_lock {
                    return Ok(Err(EngineError::NoObjectLock));
                }
                let Some(chosen) = Chosen::find(connection, state.id, &key, version)? else {
                    return Ok(Err(missing_to_change(connection, state.id, &key, version)?));
                };
                match changed(chosen.lock, change, now_ms) {
                    Ok(lock) => chosen.set_lock(connection, (state.id, &key), lock)?,
                    Err(refusal) => return Ok(Err(refusal)),
                }
                Ok(Ok(chosen.version))
            })
        })
        .await
    }
}

/// What a new version is locked by: what it brings, and the bucket's default where it brings no retention.
pub(super) fn of_new_version(
    connection: &Connection,
    bucket: BucketState,
    attributes: &ObjectAttributes,
    written_ms: u64,
) -> Work<Result<Option<ObjectLock>>> {
    if !bucket.has_object_lock {
        return Ok(if attributes.lock.is_none() { Ok(None) } else { Err(EngineError::NoObjectLock) });
    }
    let mut lock = attributes.lock.unwrap_or_default();
    if lock.retention.is_none() {
        lock.retention = default_of(connection, bucket)?.map(|default| default.from(written_ms));
    }
    Ok(Ok(lock.or_none()))
}

fn default_of(connection: &Connection, bucket: BucketState) -> Work<Option<DefaultRetention>> {
    let text = documents::find(connection, bucket.id, DEFAULT_RETENTION_DOCUMENT)?;
    Ok(text.map(|text| serde_json::from_str(&text)).transpose().map_err(|_| corrupt())?)
}

fn changed(lock: Option<ObjectLock>, change: LockChange, now_ms: u64) -> Result<Option<ObjectLock>> {
    let mut lock = lock.unwrap_or_default();
    match change {
        LockChange::Retention { retention, bypasses_governance } => {
            lock.check_retention(retention, now_ms, bypasses_governance)?;
            lock.retention = retention;
        }
        LockChange::LegalHold(is_on) => lock.legal_hold = Some(is_on),
    }
    Ok(lock.or_none())
}

fn corrupt() -> Error {
    let message = "the index holds a default retention that can't be read; set the bucket's object lock again";
    Error::new(ErrorKind::Integrity, "INDEX_CORRUPT", message)
}
