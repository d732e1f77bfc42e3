//! An upload whose parts the caller cuts.

use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_s3::types::CompletedPart;
use bytes::Bytes;
use holdfast_base::Result;

use crate::{Bucket, PutOptions, Stored};

/// An upload in parts that is under way. Complete it or abort it: dropped, its parts stay and cost storage.
#[derive(Debug)]
pub struct PartUpload {
    bucket: Bucket,
    key: String,
    upload_id: String,
    options: PutOptions,
    parts: i32,
    size: u64,
    done: Arc<Mutex<Vec<CompletedPart>>>,
}

impl Bucket {
    /// Begins an upload in parts.
    ///
    /// # Errors
    /// As [`Bucket::put`].
    pub async fn begin_parts(&self, key: &str, options: PutOptions) -> Result<PartUpload> {
        let upload_id = self.begin_upload(key, &options).await?;
        let (bucket, key) = (self.clone(), key.to_owned());
        Ok(PartUpload { bucket, key, upload_id, options, parts: 0, size: 0, done: Arc::default() })
    }
}

impl PartUpload {
    /// The next part: at least 5 MiB, except for the last. Several may be under way at once.
    ///
    /// # Errors
    /// As [`Bucket::put`].
    pub fn put_part(&mut self, data: Bytes) -> impl Future<Output = Result<()>> + Send + 'static {
        self.parts += 1;
        self.size += data.len() as u64;
        let (bucket, key, upload_id) = (self.bucket.clone(), self.key.clone(), self.upload_id.clone());
        let (number, done) = (self.parts, self.done.clone());
        async move {
            let part = bucket.put_part(&key, &upload_id, number, data).await?;
            done.lock().unwrap_or_else(PoisonError::into_inner).push(part);
            Ok(())
        }
    }

    /// Makes the parts one object, once all of them have landed.
    ///
    /// # Errors
    /// As [`Bucket::put`].
    pub async fn complete(&self) -> Result<Stored> {
        let mut parts = self.done.lock().unwrap_or_else(PoisonError::into_inner).clone();
        parts.sort_by_key(|part| part.part_number);
        self.bucket.complete_upload(&self.key, &self.upload_id, parts, &self.options, self.size).await
    }

    /// Frees the parts.
    ///
    /// # Errors
    /// `Connection`, `Timeout`.
    pub async fn abort(&self) -> Result<()> {
        self.bucket.abort_upload(&self.key, &self.upload_id).await
    }
}
