//! The access control list of an object, changed while it stays as it is.

use super::index::buckets;
use super::index::chosen::Chosen;
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
                let Some(chosen) = Chosen::find(connection, state.id, &key, version)? else {
                    return Ok(Err(missing(connection, state.id, &key, version)?));
                };
                if chosen.owner != owner {
                    return Ok(Err(EngineError::PreconditionFailed));
                }
                chosen.set_acl(connection, (state.id, &key), acl.as_deref())?;
                Ok(Ok((state.versioning != Versioning::Never).then_some(chosen.version)))
            })
        })
        .await
    }
}
