//! The access control list of an object, changed while it stays as it is.

use holdfast_sqlite::Work;
use holdfast_sqlite::rusqlite::Connection;

use super::index::buckets;
use super::index::{objects, versions};
use super::opening::no_such_bucket;
use super::puts::check_key;
use super::reads::missing;
use super::{Engine, EngineError, Result, VersionId, Versioning};

impl Engine {
    /// Sets the access control list of an object or of a version, over the one it has; `None` is `private`. It is set
    /// only while the object has that owner: whose object may be opened to whom was decided before. Gives the id of the
    /// version that was meant, `None` in a bucket that never had versioning.
    ///
    /// # Errors
    /// `PreconditionFailed` for another owner's, `NoSuchBucket`, `NoSuchKey`, `NoSuchVersion`, `IsDeleteMarker`, `KeyTooLong`, `Storage`.
    pub async fn set_acl(
        &self,
        bucket: &str,
        key: &str,
        version: Option<VersionId>,
        (owner, acl): (Option<String>, Option<String>),
    ) -> Result<Option<VersionId>> {
        check_key(key)?;
        let (bucket, key) = (bucket.to_owned(), key.to_owned());
        self.to_the_end(move |shared| {
            shared.write(move |connection| {
                let Some(state) = buckets::state(connection, &bucket)? else { return no_such_bucket(&bucket) };
                let set = set(connection, state.id, (&key, version), (owner.as_deref(), acl.as_deref()))?;
                Ok(set.map(|version| (state.versioning != Versioning::Never).then_some(version)))
            })
        })
        .await
    }
}

fn set(
    connection: &Connection,
    bucket: i64,
    (key, version): (&str, Option<VersionId>),
    (owner, acl): (Option<&str>, Option<&str>),
) -> Work<Result<VersionId>> {
    let outcome = |is_set, version| if is_set { Ok(version) } else { Err(EngineError::PreconditionFailed) };
    let present = objects::present(connection, bucket, key)?.map(|present| present.version);
    if let Some(present) = present.filter(|present| version.is_none_or(|wanted| wanted == *present)) {
        let is_set = objects::set_acl(connection, bucket, key, (owner, acl))?;
        return Ok(outcome(is_set, present));
    }
    let older = version.map(|version| versions::find(connection, bucket, key, version)).transpose()?.flatten();
    match older.filter(|older| older.object.is_some()) {
        Some(older) => {
            let is_set = versions::set_acl(connection, (bucket, key, older.sequence), (owner, acl))?;
            Ok(outcome(is_set, older.version))
        }
        None => Ok(Err(missing(connection, bucket, key, version)?)),
    }
}
