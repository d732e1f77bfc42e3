//! Reads of one object.

use std::sync::Arc;

use holdfast_base::{Error, ErrorKind};

use super::data_path::DataPath;
use super::index::{buckets, objects};
use super::opening::Shared;
use super::puts::check_key;
use super::{Engine, EngineError, ObjectFile, ObjectInfo, Result};

/// How often a file is looked for anew when the object was replaced between index and open.
const MAX_OPEN_ATTEMPTS: usize = 64;

impl Engine {
    /// What is known of an object.
    ///
    /// # Errors
    /// `NoSuchBucket`, `NoSuchKey`, `KeyTooLong`, `Storage`.
    pub async fn object(&self, bucket: &str, key: &str) -> Result<ObjectInfo> {
        check_key(key)?;
        let shared = Arc::clone(&self.0);
        let (bucket, key) = (bucket.to_owned(), key.to_owned());
        let (info, _) = self.0.readers.run(move || find(&shared, &bucket, &key)).await??;
        Ok(info)
    }

    /// An object and its bytes, which stay those of this moment whatever is put or deleted later.
    ///
    /// # Errors
    /// As [`Engine::object`].
    pub async fn open_object(&self, bucket: &str, key: &str) -> Result<(ObjectInfo, ObjectFile)> {
        check_key(key)?;
        let shared = Arc::clone(&self.0);
        let (bucket, key) = (bucket.to_owned(), key.to_owned());
        let open = move || {
            for _ in 0..MAX_OPEN_ATTEMPTS {
                let (info, path) = find(&shared, &bucket, &key)?;
                if let Some(file) = shared.folder.open_object(&path)? {
                    let file = ObjectFile::open(file, info.size, &shared.readers)?;
                    return Ok((info, file));
                }
            }
            Err(missing_file(&key).into())
        };
        self.0.readers.run(open).await?
    }
}

fn find(shared: &Shared, bucket: &str, key: &str) -> Result<(ObjectInfo, DataPath)> {
    shared.database.read(|connection| {
        if let Some(found) = objects::find(connection, bucket, key)? {
            return Ok(Ok(found));
        }
        Ok(Err(match buckets::id(connection, bucket)? {
            Some(_) => EngineError::NoSuchKey(key.to_owned()),
            None => EngineError::NoSuchBucket(bucket.to_owned()),
        }))
    })?
}

fn missing_file(key: &str) -> Error {
    let message = format!("the data file of object {key:?} is missing; somebody removed it: put the object again");
    Error::new(ErrorKind::Integrity, "DATA_FILE_MISSING", message)
}
