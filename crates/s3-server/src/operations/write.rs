use http::StatusCode;

use super::Call;
use super::content;
use super::encryption::{self, NewKey, etag_of, write_encryption};
use super::versions::give_version;
use crate::answer::{self, Answer};
use crate::conditions;
use crate::engine::ObjectAttributes;
use crate::error::S3Result;
use crate::etag::quoted;

impl Call<'_> {
    pub(super) async fn put_object(&mut self) -> S3Result<Answer> {
        let (bucket, key) = (self.request.bucket()?, self.request.key()?);
        let condition = conditions::of_write(self.request)?;
        let mut attributes = content::taken(self.request, self.settings.max_metadata_bytes)?;
        self.require_tagging(&attributes, bucket, key).await?;
        self.access.give_object_owner(&mut attributes, bucket).await?;
        attributes.lock = self.lock_of_write().await?;
        self.require_checksum_of(attributes.lock, "Put Object").await?;
        let how = write_encryption(self.access, self.request).await?;
        let mut staged = NewKey::stage(self.engine, (bucket, key), &how, &mut attributes).await?;
        let digests = self.payload.store(self.request, &mut staged, self.settings.max_object_bytes, None).await?;
        attributes.checksum = digests.checksum().map(|(algorithm, value)| content::full_object(algorithm, value));
        attributes.etag = etag_of(attributes.encryption.as_ref(), digests.md5())?;
        let object = self.engine.put(bucket, key, staged, attributes, condition).await?;

        let mut answer = answer::empty(StatusCode::OK);
        answer::set(&mut answer, "etag", quoted(&object.attributes.etag));
        give_version(&mut answer, object.version);
        encryption::give_written(&mut answer, &object.attributes, how.sent_key.as_ref());
        self.give_expiration(&mut answer, &object).await?;
        if let Some(checksum) = &object.attributes.checksum {
            content::give_checksum(&mut answer, checksum);
        }
        Ok(answer)
    }

    /// A write that brings tags needs the right to set them.
    pub(super) async fn require_tagging(&self, attributes: &ObjectAttributes, bucket: &str, key: &str) -> S3Result<()> {
        if attributes.tags.is_empty() {
            return Ok(());
        }
        self.access.require("s3:PutObjectTagging", bucket, Some(key)).await
    }
}
