//! Settings of a bucket that are kept and given back: website, logging, notification, and their kind.

use bytes::Bytes;
use http::StatusCode;

use super::Call;
use crate::answer::{self, Answer};
use crate::bucket_settings::{Setting, logging_target};
use crate::error::{Code, S3Error, S3Result};

/// The largest of these documents, in bytes.
const MAX_SETTING_BYTES: usize = 256 * 1024;

impl Call<'_> {
    pub(super) async fn setting(&self, setting: Setting) -> S3Result<Answer> {
        let bucket = self.request.bucket()?;
        let missing = || S3Error::from(Code::NoSuchWebsiteConfiguration).with("BucketName", bucket);
        let kept = self.engine.document(bucket, setting.document()).await?.or_else(|| setting.by_default());
        Ok(answer::xml(Bytes::from(kept.ok_or_else(missing)?)))
    }

    pub(super) async fn put_setting(&mut self, setting: Setting) -> S3Result<Answer> {
        let bucket = self.request.bucket()?;
        let body = self.payload.document(self.request, MAX_SETTING_BYTES).await?;
        let root = setting.read(&body, bucket)?;
        if let Some(target) = logging_target(&root).filter(|_| setting == Setting::Logging) {
            self.check_logging_target(bucket, target).await?;
        }
        if setting.is_none(&root) {
            self.engine.delete_document(bucket, setting.document()).await?;
        } else {
            self.engine.set_document(bucket, setting.document(), &setting.write(&root)?).await?;
        }
        Ok(answer::empty(StatusCode::OK))
    }

    /// Logs go to a bucket that is there and has the same owner.
    async fn check_logging_target(&self, bucket: &str, target: &str) -> S3Result<()> {
        let refused = |message: &'static str| {
            S3Error::new(Code::InvalidTargetBucketForLogging, message).with("TargetBucket", target)
        };
        let of_target = match self.access.rules_of(target).await {
            Err(error) if error.code() == Code::NoSuchBucket => {
                return Err(refused(Code::InvalidTargetBucketForLogging.message()));
            }
            found => found?,
        };
        if of_target.owner.canonical_id != self.access.rules_of(bucket).await?.owner.canonical_id {
            return Err(refused("The owner for the bucket to be logged and the target bucket must be the same."));
        }
        Ok(())
    }

    pub(super) async fn delete_website(&self) -> S3Result<Answer> {
        self.engine.delete_document(self.request.bucket()?, Setting::Website.document()).await?;
        Ok(answer::empty(StatusCode::NO_CONTENT))
    }

    /// Nothing is replicated: no bucket has a configuration for it.
    pub(super) async fn replication(&self) -> S3Result<Answer> {
        let bucket = self.request.bucket()?;
        self.engine.bucket(bucket).await?;
        Err(S3Error::from(Code::ReplicationConfigurationNotFoundError).with("BucketName", bucket))
    }

    pub(super) async fn delete_replication(&self) -> S3Result<Answer> {
        self.engine.bucket(self.request.bucket()?).await?;
        Ok(answer::empty(StatusCode::NO_CONTENT))
    }
}
