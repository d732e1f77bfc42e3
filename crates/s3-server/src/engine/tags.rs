//! Tags of an object, changed while it stays as it is.

use holdfast_sqlite::Work;
use holdfast_sqlite::rusqlite::Connection;

use super::index::buckets;
use super::index::{objects, versions};
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
                let set = set(connection, state.id, (&key, version), tags.as_deref())?;
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
    tags: Option<&str>,
) -> Work<Result<VersionId>> {
    let present = objects::present(connection, bucket, key)?.map(|present| present.version);
    if let Some(present) = present.filter(|present| version.is_none_or(|wanted| wanted == *present)) {
        objects::set_tags(connection, bucket, key, tags)?;
        return Ok(Ok(present));
    }
    let older = version.map(|version| versions::find(connection, bucket, key, version)).transpose()?.flatten();
    match older.filter(|older| older.object.is_some()) {
        Some(older) => {
            versions::set_tags(connection, bucket, key, older.sequence, tags)?;
            Ok(Ok(older.version))
        }
        None => Ok(Err(missing_to_change(connection, bucket, key, version)?)),
    }
}
