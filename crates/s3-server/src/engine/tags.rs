//! Tags of an object, changed while it stays as it is.

use super::index::buckets;
use super::index::chosen::Chosen;
use super::index::objects;
use super::opening::no_such_bucket;
use super::puts::check_key;
use super::reads::missing_to_change;
use super::{Engine, Result, VersionId, Versioning};

impl Engine {
    /// Sets the tags of an object or of a version, over those it has; none removes them. Gives the id of the version
    /// that was meant, `None` in a bucket that never had versioning.
    ///
    /// # Errors
    /// `NoSuchBucket`, `NoSuchKey`, `NoSuchVersion`, `IsDeleteMarker`, `KeyTooLong`, `Storage`.
    pub async fn set_tags(
        &self,
        bucket: &str,
        key: &str,
        version: Option<VersionId>,
        tags: Vec<(String, String)>,
    ) -> Result<Option<VersionId>> {
        check_key(key)?;
        let (bucket, key) = (bucket.to_owned(), key.to_owned());
        self.to_the_end(move |shared| {
            shared.write(move |connection| {
                let Some(state) = buckets::state(connection, &bucket)? else { return no_such_bucket(&bucket) };
                let tags = objects::tags_text(&tags)?;
                let Some(chosen) = Chosen::find(connection, state.id, &key, version)? else {
                    return Ok(Err(missing_to_change(connection, state.id, &key, version)?));
                };
                chosen.set_tags(connection, (state.id, &key), tags.as_deref())?;
                Ok(Ok((state.versioning != Versioning::Never).then_some(chosen.version)))
            })
        })
        .await
    }
}
