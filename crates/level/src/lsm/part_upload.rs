//! An upload in parts, as SlateDB drives it.

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::FutureExt;
use holdfast_s3_client::PartUpload;
use object_store::path::Path;
use object_store::{MultipartUpload, PutPayload, PutResult, Result, UploadPart};

use super::bucket_store::{put_result, store_error};

#[derive(Debug)]
pub(crate) struct BucketUpload {
    upload: PartUpload,
    location: Path,
}

impl BucketUpload {
    pub(crate) fn new(upload: PartUpload, location: Path) -> Self {
        Self { upload, location }
    }
}

#[async_trait]
impl MultipartUpload for BucketUpload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        let (sent, location) = (self.upload.put_part(Bytes::from(data)), self.location.clone());
        async move { sent.await.map_err(|error| store_error(&location, error)) }.boxed()
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let stored = self.upload.complete().await.map_err(|error| store_error(&self.location, error))?;
        Ok(put_result(stored.etag))
    }

    async fn abort(&mut self) -> Result<()> {
        self.upload.abort().await.map_err(|error| store_error(&self.location, error))
    }
}
