//! A put: a staged body becomes an object.

use std::sync::Arc;

use holdfast_base::MAX_KEY_BYTES;
use holdfast_sqlite::Work;
use holdfast_sqlite::rusqlite::Connection;

use super::chores::{Owed, do_now_async};
use super::data_path::{DataPath, id_of};
use super::index::{buckets, objects};
use super::locks;
use super::opening::{Shared, no_such_bucket};
use super::staged::StagedFile;
use super::succession::make_way;
use super::{
    Condition, Engine, EngineError, Event, EventKind, EventOperation, ObjectAttributes, ObjectInfo, ObjectPart, Result,
    Staged,
};

/// An object whose bytes lie whole in the staging folder.
pub(super) struct NewObject {
    pub(super) bucket: String,
    pub(super) key: String,
    pub(super) file: StagedFile,
    pub(super) attributes: ObjectAttributes,
    pub(super) parts: Vec<ObjectPart>,
    pub(super) condition: Condition,
    pub(super) operation: EventOperation,
}

impl Engine {
    /// Makes a staged body the object of a key, over the one that is there, or as its newest version. Runs to its end once begun,
    /// also when the future is dropped.
    ///
    /// # Errors
    /// `NoSuchBucket`, `KeyTooLong`, `InvalidArgument` (empty key), `PreconditionFailed`, `NoSuchKey` (the
    /// condition wants an object), `NoObjectLock` (the attributes bring a lock), `Storage`. The body is discarded and the old object stays.
    pub async fn put(
        &self,
        bucket: &str,
        key: &str,
        staged: Staged,
        attributes: ObjectAttributes,
        condition: Condition,
    ) -> Result<ObjectInfo> {
        check_key(key)?;
        let (bucket, key) = (bucket.to_owned(), key.to_owned());
        let staged = staged.settled().await?;
        let operation = staged.operation();
        let object = move |file| NewObject { bucket, key, file, attributes, parts: Vec::new(), condition, operation };
        self.to_the_end_async(|shared| async move {
            staged.check_era(&shared)?;
            let file = match staged.is_quick() {
                true if shared.files.are_in_memory() => staged.finish()?,
                true => shared.writers.run(|| staged.finish()).await??,
                false => tokio::task::spawn_blocking(|| staged.finish()).await??,
            };
            let (object, committing) = (object(file), Arc::clone(&shared));
            let (info, owed) = shared.write_async(move |connection| commit(connection, &committing, object)).await?;
            do_now_async(&shared, owed).await?;
            Ok(info)
        })
        .await
    }
}

/// Refuses what can't be a key.
pub(super) fn check_key(key: &str) -> Result<()> {
    match key.len() {
        0 => Err(EngineError::InvalidArgument("the key is empty; give at least one character".to_owned())),
        bytes if bytes > MAX_KEY_BYTES => Err(EngineError::KeyTooLong(bytes)),
        _ => Ok(()),
    }
}

/// The one commit that makes an object visible; gives what it owes the files. A refusal changes nothing
/// but the staged file, which goes.
pub(super) fn commit(connection: &Connection, shared: &Shared, object: NewObject) -> Work<Result<(ObjectInfo, Owed)>> {
    let Some(bucket) = buckets::state(connection, &object.bucket)? else { return no_such_bucket(&object.bucket) };
    let present = objects::present(connection, bucket.id, &object.key)?;
    if let Err(refusal) = object.condition.check(&object.key, present.as_ref().map(|present| present.etag.as_str())) {
        return Ok(Err(refusal));
    }
    let last_modified_ms = shared.clock.now_ms();
    let lock = match locks::of_new_version(connection, bucket, &object.attributes, last_modified_ms)? {
        Ok(lock) => lock,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let gone = make_way(connection, bucket, &object.key, present)?;
    let path = DataPath::new(&object.bucket, &object.key, &id_of(object.file.number()));
    let sequence = shared.next_number();
    let info = ObjectInfo {
        key: object.key,
        version: bucket.versioning.id_of(sequence),
        size: object.file.len(),
        last_modified_ms,
        attributes: ObjectAttributes { lock, ..object.attributes },
        parts: object.parts,
    };
    objects::put(connection, bucket.id, sequence, &info, &path)?;
    let owed = gone.owe(connection, Some(path))?;
    object.file.keep();
    shared.events.note(|| Event {
        kind: EventKind::ObjectCreated,
        operation: object.operation,
        bucket: object.bucket,
        key: Some(info.key.clone()),
        size: Some(info.size),
        etag: Some(info.attributes.etag.clone()),
        version: info.version,
        at_ms: last_modified_ms,
    });
    Ok(Ok((info, owed)))
}
