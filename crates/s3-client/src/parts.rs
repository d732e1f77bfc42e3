//! The requests of a multipart upload.

use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart};
use aws_smithy_types::byte_stream::ByteStream;
use bytes::Bytes;
use holdfast_base::{Error, Result};

use crate::bucket::send_once;
use crate::failure::Failing;
use crate::object::millis;
use crate::{Bucket, ChecksumMode, PutOptions, Stored};

/// An upload that was begun and neither completed nor aborted; its parts cost storage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingUpload {
    /// The key it would have, without the bucket's prefix.
    pub key: String,
    /// Its id.
    pub upload_id: String,
    /// When it was begun: milliseconds since the epoch.
    pub begun_ms: u64,
}

/// One page of pending uploads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PendingUploadPage {
    /// The uploads.
    pub uploads: Vec<PendingUpload>,
    /// The markers to continue with; `None` on the last page.
    pub next: Option<(String, String)>,
}

impl Bucket {
    /// Begins an upload; gives back its id.
    pub(crate) async fn begin_upload(&self, key: &str, options: &PutOptions) -> Result<String> {
        let begun = self
            .client
            .sdk
            .create_multipart_upload()
            .bucket(self.name())
            .key(self.full_key(key))
            .set_content_type(options.content_type.clone())
            .set_checksum_algorithm(self.checksum_algorithm())
            .set_metadata((!options.metadata.is_empty()).then(|| options.metadata.clone().into_iter().collect()))
            .send()
            .await
            .map_err(|error| self.failing("CreateMultipartUpload", key).error(&error))?;
        begun.upload_id.ok_or_else(|| Error::internal("CreateMultipartUpload answered without an id"))
    }

    /// Sends one part; gives back what completing the upload needs of it.
    pub(crate) async fn put_part(&self, key: &str, upload_id: &str, number: i32, data: Bytes) -> Result<CompletedPart> {
        let sent = self
            .client
            .sdk
            .upload_part()
            .bucket(self.name())
            .key(self.full_key(key))
            .upload_id(upload_id)
            .part_number(number)
            .set_checksum_algorithm(self.checksum_algorithm())
            .body(ByteStream::from(data))
            .send()
            .await
            .map_err(|error| self.failing("UploadPart", key).error(&error))?;
        let part = CompletedPart::builder().part_number(number).set_e_tag(sent.e_tag);
        Ok(part.set_checksum_crc32(sent.checksum_crc32).build())
    }

    /// Makes the parts one object. Conditional as [`Bucket::put`], and like it sent once when it is.
    pub(crate) async fn complete_upload(
        &self,
        key: &str,
        upload_id: &str,
        parts: Vec<CompletedPart>,
        options: &PutOptions,
        size: u64,
    ) -> Result<Stored> {
        let request = self
            .client
            .sdk
            .complete_multipart_upload()
            .bucket(self.name())
            .key(self.full_key(key))
            .upload_id(upload_id)
            .set_if_none_match(options.none_match_header())
            .set_if_match(options.if_match.clone())
            .multipart_upload(CompletedMultipartUpload::builder().set_parts(Some(parts)).build());
        let failing = self.failing("CompleteMultipartUpload", key);
        let done = if options.is_conditional() {
            send_once!(request).await.map_err(|error| failing.conditional_error(&error))?
        } else {
            request.send().await.map_err(|error| failing.error(&error))?
        };
        Ok(Stored { etag: done.e_tag.unwrap_or_default(), size })
    }

    /// Gives up an upload and frees its parts. One that is gone is no error.
    ///
    /// # Errors
    /// `Connection`, `Timeout`.
    pub async fn abort_upload(&self, key: &str, upload_id: &str) -> Result<()> {
        let request = self.client.sdk.abort_multipart_upload().bucket(self.name()).key(self.full_key(key));
        match request.upload_id(upload_id).send().await {
            Ok(_) => Ok(()),
            Err(error) => match self.failing("AbortMultipartUpload", key).error(&error) {
                error if error.code() == "NO_SUCH_UPLOAD" => Ok(()),
                error => Err(error),
            },
        }
    }

    /// One page of uploads under the bucket's prefix that were neither completed nor aborted.
    ///
    /// # Errors
    /// `NotFound` (code `NO_SUCH_BUCKET`), `Connection`, `Timeout`.
    pub async fn list_uploads(&self, prefix: &str, after: Option<(String, String)>) -> Result<PendingUploadPage> {
        let (key_marker, id_marker) = after.unzip();
        let answer = self
            .client
            .sdk
            .list_multipart_uploads()
            .bucket(self.name())
            .prefix(self.full_key(prefix))
            .set_key_marker(key_marker)
            .set_upload_id_marker(id_marker)
            .send()
            .await
            .map_err(|error| Failing::new("ListMultipartUploads", self.name(), None).error(&error))?;
        let more = answer.is_truncated == Some(true);
        let uploads = answer.uploads.unwrap_or_default().into_iter().map(|upload| PendingUpload {
            begun_ms: millis(upload.initiated.as_ref()),
            key: self.own_key(upload.key.unwrap_or_default(), false),
            upload_id: upload.upload_id.unwrap_or_default(),
        });
        Ok(PendingUploadPage {
            uploads: uploads.collect(),
            next: answer.next_key_marker.zip(answer.next_upload_id_marker).filter(|_| more),
        })
    }

    fn checksum_algorithm(&self) -> Option<ChecksumAlgorithm> {
        (self.client.settings.checksums == ChecksumMode::WhenSupported).then_some(ChecksumAlgorithm::Crc32)
    }
}
