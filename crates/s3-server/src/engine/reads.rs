//! Reads of one object.

use std::sync::Arc;

use holdfast_base::{Error, ErrorKind};
use holdfast_sqlite::Work;
use holdfast_sqlite::rusqlite::Connection;

use super::data_path::DataPath;
use super::index::{buckets, objects, versions};
use super::opening::{Shared, no_such_bucket};
use super::puts::check_key;
use super::{DeleteMarker, Engine, EngineError, ObjectFile, ObjectInfo, Result, VersionId};

/// How often a file is looked for anew when the object was replaced between index and open.
const MAX_OPEN_ATTEMPTS: usize = 64;

impl Engine {
    /// What is known of an object, or of one of its versions.
    ///
    /// # Errors
    /// `NoSuchBucket`, `NoSuchKey`, `NoSuchVersion`, `IsDeleteMarker`, `KeyTooLong`, `Storage`.
    pub async fn object(&self, bucket: &str, key: &str, version: Option<VersionId>) -> Result<ObjectInfo> {
        check_key(key)?;
        Ok(find(&self.0, bucket, key, version)?.0)
    }

    /// An object or one of its versions with its bytes, which stay those of this moment whatever is put or deleted
    /// later.
    ///
    /// # Errors
    /// As [`Engine::object`].
    pub async fn open_object(
        &self,
        bucket: &str,
        key: &str,
        version: Option<VersionId>,
    ) -> Result<(ObjectInfo, ObjectFile)> {
        check_key(key)?;
        let (info, path) = find(&self.0, bucket, key, version)?;
        let cached = self.0.files.open_cached(&path);
        if let Some(file) = cached.and_then(|file| ObjectFile::open_cached(file, &info, &self.0.readers)) {
            return Ok((info, file));
        }
        let shared = Arc::clone(&self.0);
        let (bucket, key) = (bucket.to_owned(), key.to_owned());
        let open = move || {
            for _ in 0..MAX_OPEN_ATTEMPTS {
                let (info, path) = find(&shared, &bucket, &key, version)?;
                if let Some(file) = shared.files.open_object(&path)? {
                    let file = ObjectFile::open(file, &info, &shared.readers)?;
                    return Ok((info, file));
                }
            }
            Err(missing_file(&key).into())
        };
        self.0.readers.run(open).await?
    }
}

fn find(shared: &Shared, bucket: &str, key: &str, version: Option<VersionId>) -> Result<(ObjectInfo, DataPath)> {
    shared.database.read(|connection| {
        // The newest object is one statement; all else takes several, which must see the same moment.
        let _moment = version.map(|_| connection.unchecked_transaction()).transpose()?;
        if let Some(found) = objects::find(connection, bucket, key)?
            && version.is_none_or(|wanted| wanted == found.0.version.unwrap_or(VersionId::NULL))
        {
            return Ok(Ok(found));
        }
        let Some(id) = buckets::id(connection, bucket)? else { return no_such_bucket(bucket) };
        if let Some(version) = version
            && let Some(found) = versions::info(connection, id, key, version)?
        {
            return Ok(Ok(found));
        }
        Ok(Err(missing(connection, id, key, version)?))
    })?
}

/// Why a key or one of its versions is no object.
pub(super) fn missing(
    connection: &Connection,
    bucket: i64,
    key: &str,
    version: Option<VersionId>,
) -> Work<EngineError> {
    let found = match version {
        None => versions::newest(connection, bucket, key)?,
        Some(version) => versions::find(connection, bucket, key, version)?,
    };
    Ok(match (found.filter(|found| found.object.is_none()), version) {
        (Some(marker), _) => EngineError::IsDeleteMarker(DeleteMarker {
            key: key.to_owned(),
            version: marker.version,
            last_modified_ms: marker.modified_ms,
            is_named: version.is_some(),
        }),
        (None, None) => EngineError::NoSuchKey(key.to_owned()),
        (None, Some(version)) => EngineError::NoSuchVersion { key: key.to_owned(), version },
    })
}

/// The same for a change: of a deleted key there is the delete marker, which can't be changed.
pub(super) fn missing_to_change(
    connection: &Connection,
    bucket: i64,
    key: &str,
    version: Option<VersionId>,
) -> Work<EngineError> {
    Ok(match missing(connection, bucket, key, version)? {
        EngineError::IsDeleteMarker(marker) => EngineError::IsDeleteMarker(DeleteMarker { is_named: true, ..marker }),
        other => other,
    })
}

fn missing_file(key: &str) -> Error {
    let message = format!("the data file of object {key:?} is missing; somebody removed it: put the object again");
    Error::new(ErrorKind::Integrity, "DATA_FILE_MISSING", message)
}
