//! Which version of a key is its object: what a commit keeps of what was there, and what comes back.

use holdfast_sqlite::Work;
use holdfast_sqlite::rusqlite::Connection;

use super::chores::{MAX_QUICK_UNLINK_BYTES, Owed};
use super::data_path::DataPath;
use super::index::buckets::BucketState;
use super::index::chores::{self, Chore};
use super::index::objects::{self, Present};
use super::index::versions;
use super::{VersionId, Versioning};

/// Data files whose version is gone.
#[derive(Default)]
pub(super) struct Gone(Vec<(DataPath, u64)>);

impl Gone {
    /// A file of some bytes.
    pub(super) fn one(path: DataPath, size: u64) -> Self {
        Self(vec![(path, size)])
    }

    /// Notes what the commit owes: a file to be moved to its place, if any, and these to be unlinked.
    pub(super) fn owe(self, connection: &Connection, placed: Option<DataPath>) -> Work<Owed> {
        let are_quick = self.0.iter().all(|(_, size)| *size <= MAX_QUICK_UNLINK_BYTES);
        let removed = self.0.into_iter().map(|(path, _)| Chore::Remove(path));
        let chores: Vec<Chore> = placed.map(Chore::Place).into_iter().chain(removed).collect();
        for chore in &chores {
            chores::insert(connection, chore)?;
        }
        Ok(Owed { chores, are_quick })
    }
}

/// Before a key gets a newer version: moves its object beside the others where the bucket keeps it, and removes
/// what the newer one replaces. The row in `object` stays, for the caller to replace or delete.
pub(super) fn make_way(
    connection: &Connection,
    bucket: BucketState,
    key: &str,
    present: Option<Present>,
) -> Work<Gone> {
    let is_replaced = match bucket.versioning {
        Versioning::Never => true,
        Versioning::Enabled => false,
        Versioning::Suspended => present.as_ref().is_some_and(|present| present.version == VersionId::NULL),
    };
    if is_replaced {
        return Ok(present.map_or_else(Gone::default, |present| Gone::one(present.path, present.size)));
    }
    if present.is_some() {
        versions::retire(connection, bucket.id, key)?;
    }
    if bucket.versioning == Versioning::Enabled {
        return Ok(Gone::default());
    }
    // Of null versions there is only one.
    let Some(null) = versions::find(connection, bucket.id, key, VersionId::NULL)? else { return Ok(Gone::default()) };
    versions::delete(connection, bucket.id, key, null.sequence)?;
    Ok(null.object.map_or_else(Gone::default, |(_, path)| Gone::one(path, null.size)))
}

/// Removes the version that is a key's object; the newest of the others takes its place.
pub(super) fn remove_present(connection: &Connection, bucket: i64, key: &str, present: Present) -> Work<Gone> {
    objects::delete(connection, bucket, key)?;
    versions::promote_newest(connection, bucket, key)?;
    Ok(Gone::one(present.path, present.size))
}

/// Removes a version that is not the key's object. When it was the delete marker that hid the others, the newest of
/// them is the object again.
pub(super) fn remove_older(
    connection: &Connection,
    bucket: i64,
    key: &str,
    older: versions::Older,
    has_object: bool,
) -> Work<Gone> {
    versions::delete(connection, bucket, key, older.sequence)?;
    if !has_object {
        versions::promote_newest(connection, bucket, key)?;
    }
    Ok(older.object.map_or_else(Gone::default, |(_, path)| Gone::one(path, older.size)))
}
