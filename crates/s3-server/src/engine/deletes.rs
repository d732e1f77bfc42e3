//! Deletes: of a key, which a versioned bucket answers with a delete marker, and of one version.

use std::sync::Arc;

use holdfast_sqlite::Work;
use holdfast_sqlite::rusqlite::Connection;

use super::chores::{Owed, do_now, do_now_async};
use super::index::buckets::{self, BucketState};
use super::index::objects::Present;
use super::index::{objects, versions};
use super::opening::{Shared, no_such_bucket};
use super::puts::check_key;
use super::succession::{Gone, make_way, remove_older, remove_present};
use super::{
    Condition, Engine, EngineError, Event, EventKind, EventOperation, ObjectLock, Result, VersionId, Versioning,
};

/// The most keys of one call, as S3 has it.
const MAX_KEYS: usize = 1000;

/// What is to be deleted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deletion {
    /// The key.
    pub key: String,
    /// That version for good; `None` deletes the object, of which a versioned bucket keeps the versions.
    pub version: Option<VersionId>,
    /// What must hold of the object, or of the version that is named.
    pub condition: Condition,
    /// What the caller takes the object, or the version that is named, to be like; what is not there is like nothing.
    pub likeness: Likeness,
    /// Whether a retention of mode `GOVERNANCE` does not count; the caller has seen to the right.
    pub bypasses_governance: bool,
}

/// What a deletion wants of the object beside its ETag. All of it must be so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Likeness {
    /// In bytes.
    pub size: Option<u64>,
    /// When it was committed, in milliseconds since the epoch, looked at to the second.
    pub last_modified_ms: Option<u64>,
}

impl Likeness {
    fn check(self, size: u64, modified_ms: u64) -> Result<()> {
        let is_size = self.size.is_none_or(|wanted| wanted == size);
        let is_time = self.last_modified_ms.is_none_or(|wanted| wanted / 1000 == modified_ms / 1000);
        if is_size && is_time { Ok(()) } else { Err(EngineError::PreconditionFailed) }
    }
}

/// What a delete did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deleted {
    /// Whether there was what was to be deleted.
    pub existed: bool,
    /// The version that was removed for good, or the delete marker that was made; `None` in a bucket that never
    /// had versioning.
    pub version: Option<VersionId>,
    /// Whether that version is a delete marker.
    pub is_marker: bool,
}

impl Engine {
    /// Deletes the object of a key. One that isn't there is no error, unless the condition wants it. A versioned
    /// bucket keeps what it had, and gets a delete marker.
    ///
    /// # Errors
    /// `NoSuchBucket`, `KeyTooLong`, `PreconditionFailed`, `NoSuchKey` (the condition wants an object), `Storage`.
    pub async fn delete(&self, bucket: &str, key: &str, condition: Condition) -> Result<Deleted> {
        self.delete_one(bucket, Deletion { key: key.to_owned(), condition, ..Deletion::default() }).await
    }

    /// As [`Engine::delete`]; a version that is named is removed for good.
    ///
    /// # Errors
    /// As [`Engine::delete`], and `Locked` for a version that object lock keeps.
    pub async fn delete_one(&self, bucket: &str, deletion: Deletion) -> Result<Deleted> {
        check_key(&deletion.key)?;
        let bucket = bucket.to_owned();
        self.to_the_end_async(|shared| async move {
            let deleting = Arc::clone(&shared);
            let delete = move |connection: &_| {
                let Some(state) = buckets::state(connection, &bucket)? else { return no_such_bucket(&bucket) };
                let committed = commit(connection, &deleting, state, &deletion)?;
                note(&deleting, &bucket, &deletion, &committed, Cause::Asked);
                Ok(committed)
            };
            let (deleted, owed) = shared.write_async(delete).await?;
            do_now_async(&shared, owed).await?;
            Ok(deleted)
        })
        .await
    }

    /// Deletes up to 1,000 keys or versions in one commit; gives an answer for each, in their order.
    ///
    /// # Errors
    /// `NoSuchBucket`, `InvalidArgument` (too many keys), `Storage`: then none was deleted. Each of its own
    /// as [`Engine::delete_one`].
    pub async fn delete_many(&self, bucket: &str, deletions: Vec<Deletion>) -> Result<Vec<Result<Deleted>>> {
        if deletions.len() > MAX_KEYS {
            let count = deletions.len();
            return Err(EngineError::InvalidArgument(format!("{count} keys given; at most {MAX_KEYS} are possible")));
        }
        let bucket = bucket.to_owned();
        self.to_the_end(move |shared| {
            let deleting = Arc::clone(shared);
            let outcomes = shared.write(move |connection| {
                let Some(state) = buckets::state(connection, &bucket)? else { return no_such_bucket(&bucket) };
                let each = |deletion: &Deletion| match check_key(&deletion.key) {
                    Ok(()) => {
                        let committed = commit(connection, &deleting, state, deletion)?;
                        note(&deleting, &bucket, deletion, &committed, Cause::Asked);
                        Ok(committed)
                    }
                    Err(refusal) => Ok(Err(refusal)),
                };
                Ok(Ok(deletions.iter().map(each).collect::<Work<Vec<_>>>()?))
            })?;
            let mut chores = Vec::new();
            let answer = |outcome: Result<(Deleted, Owed)>| {
                outcome.map(|(deleted, owed)| {
                    chores.extend(owed.chores);
                    deleted
                })
            };
            let answers = outcomes.into_iter().map(answer).collect();
            do_now(shared, &chores);
            Ok(answers)
        })
        .await
    }
}

/// Why something is deleted.
#[derive(Clone, Copy)]
pub(super) enum Cause {
    /// Somebody asked for it.
    Asked,
    /// A lifecycle rule said so.
    Lifecycle,
}

/// Notes what was removed, or hidden by a marker.
pub(super) fn note(
    shared: &Shared,
    bucket: &str,
    deletion: &Deletion,
    committed: &Result<(Deleted, Owed)>,
    cause: Cause,
) {
    let Ok((deleted, _)) = committed else { return };
    if !deleted.existed && !deleted.is_marker {
        return;
    }
    // A marker that was removed was one that stood; one that was made has no name in the request.
    let is_made = deleted.is_marker && deletion.version.is_none();
    let operation = match (cause, is_made) {
        (Cause::Asked, false) => EventOperation::Delete,
        (Cause::Asked, true) => EventOperation::DeleteMarkerCreated,
        (Cause::Lifecycle, false) => EventOperation::LifecycleExpirationDelete,
        (Cause::Lifecycle, true) => EventOperation::LifecycleExpirationDeleteMarkerCreated,
    };
    shared.events.note(|| Event {
        kind: EventKind::ObjectRemoved,
        operation,
        bucket: bucket.to_owned(),
        key: Some(deletion.key.clone()),
        size: None,
        etag: None,
        version: deleted.version,
        at_ms: shared.clock.now_ms(),
    });
}

/// One deletion; gives what it owes the files. A refusal changes nothing. Whatever removes a version or an object of a
/// bucket that stays comes through here.
pub(super) fn commit(
    connection: &Connection,
    shared: &Shared,
    bucket: BucketState,
    deletion: &Deletion,
) -> Work<Result<(Deleted, Owed)>> {
    let done = match deletion.version {
        None => delete_newest(connection, shared, bucket, deletion)?,
        Some(version) => delete_version(connection, shared, bucket, deletion, version)?,
    };
    match done {
        Ok((deleted, gone)) => Ok(Ok((deleted, gone.owe(connection, None)?))),
        Err(refusal) => Ok(Err(refusal)),
    }
}

fn delete_newest(
    connection: &Connection,
    shared: &Shared,
    bucket: BucketState,
    Deletion { key, condition, likeness, .. }: &Deletion,
) -> Work<Result<(Deleted, Gone)>> {
    let present = objects::present(connection, bucket.id, key)?;
    let holds = condition.check(key, present.as_ref().map(|present| present.etag.as_str()));
    let is_like = |present: &Present| likeness.check(present.size, present.modified_ms);
    if let Err(refusal) = holds.and_then(|()| present.as_ref().map_or(Ok(()), is_like)) {
        return Ok(Err(refusal));
    }
    let existed = present.is_some();
    let gone = make_way(connection, bucket, key, present)?;
    if existed {
        objects::delete(connection, bucket.id, key)?;
    }
    let sequence = shared.next_number();
    let version = bucket.versioning.id_of(sequence);
    if let Some(version) = version {
        versions::insert_marker(connection, bucket.id, key, (sequence, version), shared.clock.now_ms())?;
    }
    Ok(Ok((Deleted { existed, version, is_marker: version.is_some() }, gone)))
}

fn delete_version(
    connection: &Connection,
    shared: &Shared,
    bucket: BucketState,
    Deletion { key, condition, likeness, bypasses_governance, .. }: &Deletion,
    version: VersionId,
) -> Work<Result<(Deleted, Gone)>> {
    let may_go = |lock: Option<ObjectLock>| match lock {
        Some(lock) => lock.check_removal(shared.clock.now_ms(), *bypasses_governance),
        None => Ok(()),
    };
    let told = (bucket.versioning != Versioning::Never).then_some(version);
    let present = objects::present(connection, bucket.id, key)?;
    let has_object = present.is_some();
    if let Some(present) = present.filter(|present| present.version == version) {
        let is_like = likeness.check(present.size, present.modified_ms);
        if let Err(refusal) = condition.check(key, Some(&present.etag)).and(is_like).and_then(|()| may_go(present.lock))
        {
            return Ok(Err(refusal));
        }
        let gone = remove_present(connection, bucket.id, key, present)?;
        return Ok(Ok((Deleted { existed: true, version: told, is_marker: false }, gone)));
    }
    let older = versions::find(connection, bucket.id, key, version)?;
    let etag = older.as_ref().and_then(|older| older.object.as_ref()).map(|(etag, _)| etag.as_str());
    let lock = older.as_ref().and_then(|older| older.lock);
    let is_like = older.as_ref().map_or(Ok(()), |older| likeness.check(older.size, older.modified_ms));
    if let Err(refusal) = condition.check(key, etag).and(is_like).and_then(|()| may_go(lock)) {
        return Ok(Err(refusal));
    }
    let Some(older) = older else {
        return Ok(Ok((Deleted { existed: false, version: told, is_marker: false }, Gone::default())));
    };
    let is_marker = older.object.is_none();
    let gone = remove_older(connection, bucket.id, key, older, has_object)?;
    Ok(Ok((Deleted { existed: true, version: told, is_marker }, gone)))
}
