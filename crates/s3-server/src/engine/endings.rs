//! Versions that end by themselves: walked, and removed when they still are what the walk saw.

use std::sync::Arc;

use holdfast_sqlite::Work;
use holdfast_sqlite::rusqlite::Connection;

use super::chores::do_now;
use super::deletes::{Cause, commit, note};
use super::index::buckets::{self, BucketState};
use super::index::walk;
use super::opening::no_such_bucket;
use super::{Deletion, Engine, EngineError, ObjectLock, Result, VersionId};

/// Where a version stands in a bucket: its key, and the commit that wrote it. No two versions stand in one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionCursor {
    /// The key.
    pub key: String,
    /// The number of the commit.
    pub(super) sequence: i64,
}

/// A version or a delete marker of a walk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WalkedVersion {
    /// Where it stands.
    pub at: VersionCursor,
    /// Its id.
    pub version: VersionId,
    /// When it was committed, in milliseconds since the epoch.
    pub modified_ms: u64,
    /// Its size in bytes and its tags; `None` for a delete marker.
    pub object: Option<(u64, Vec<(String, String)>)>,
    /// What it is locked by.
    pub lock: Option<ObjectLock>,
}

/// A version whose time has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// Where it stands.
    pub at: VersionCursor,
    /// Its id.
    pub version: VersionId,
    /// What it must still be.
    pub role: Role,
}

/// What a version is to its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Its object: it is deleted as by a client that names no version.
    Current,
    /// A version, or a delete marker, behind a newer one.
    Noncurrent,
    /// A delete marker with nothing behind it.
    LoneMarker,
}

impl Engine {
    /// At most `max` versions of a bucket behind a cursor: by key in byte order, then newest first.
    ///
    /// # Errors
    /// `NoSuchBucket`, `Storage`.
    pub async fn walk_versions(
        &self,
        bucket: &str,
        after: Option<VersionCursor>,
        max: usize,
    ) -> Result<Vec<WalkedVersion>> {
        let bucket = bucket.to_owned();
        self.read(move |connection| {
            let Some(id) = buckets::id(connection, &bucket)? else { return no_such_bucket(&bucket) };
            // One moment for both statements: a version that moves between the tables is walked once.
            let moment = connection.unchecked_transaction()?;
            Ok(Ok(walk::page(&moment, id, after.as_ref(), max)?))
        })
        .await
    }

    /// Removes versions in one commit, so that not too many should be given. Gives for each whether it was removed:
    /// one that is locked, gone or something else to its key meanwhile stays.
    ///
    /// # Errors
    /// `NoSuchBucket`, `Storage`.
    pub async fn end_versions(&self, bucket: &str, endings: Vec<Ending>) -> Result<Vec<bool>> {
        let bucket = bucket.to_owned();
        self.to_the_end(move |shared| {
            let removing = Arc::clone(shared);
            let (removed, chores) = shared.write(move |connection| {
                let Some(state) = buckets::state(connection, &bucket)? else { return no_such_bucket(&bucket) };
                let mut chores = Vec::new();
                let mut removed = Vec::with_capacity(endings.len());
                for ending in &endings {
                    if !is_still(connection, state, ending)? {
                        removed.push(false);
                        continue;
                    }
                    let deletion = deletion(ending);
                    let committed = commit(connection, &removing, state, &deletion)?;
                    note(&removing, &bucket, &deletion, &committed, Cause::Lifecycle);
                    match committed {
                        Ok((_, owed)) => {
                            chores.extend(owed.chores);
                            removed.push(true);
                        }
                        Err(EngineError::Locked) => removed.push(false),
                        // What is refused has changed nothing, but what came before it has.
                        Err(refusal) => return Err(holdfast_base::Error::internal(refusal.to_string()).into()),
                    }
                }
                Ok(Ok((removed, chores)))
            })?;
            do_now(shared, &chores);
            Ok(removed)
        })
        .await
    }
}

fn deletion(ending: &Ending) -> Deletion {
    let version = (ending.role != Role::Current).then_some(ending.version);
    Deletion { key: ending.at.key.clone(), version, ..Deletion::default() }
}

/// Whether that version is there, and still what it was to its key.
fn is_still(connection: &Connection, bucket: BucketState, ending: &Ending) -> Work<bool> {
    let VersionCursor { key, sequence } = &ending.at;
    let object = walk::object_sequence(connection, bucket.id, key)?;
    if ending.role == Role::Current {
        return Ok(object == Some(*sequence));
    }
    let Some((newest, oldest)) = walk::older_sequences(connection, bucket.id, key)? else { return Ok(false) };
    if !walk::is_older(connection, bucket.id, &ending.at)? {
        return Ok(false);
    }
    Ok(match ending.role {
        Role::Current | Role::Noncurrent => object.is_some() || newest > *sequence,
        Role::LoneMarker => object.is_none() && newest == oldest,
    })
}
