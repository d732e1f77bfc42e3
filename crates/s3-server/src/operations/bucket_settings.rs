//! Settings of a bucket that are kept and given back: website, logging, notification, and their kind.

use bytes::Bytes;
use http::StatusCode;

use super::Call;
use crate::answer::{self, Answer};
use crate::bucket_settings::{Setting, logging_target};
use crate::engine::EngineError;
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
            match self.engine.bucket(target).await {
                Err(EngineError::NoSuchBucket(_)) => {
                    return Err(S3Error::from(Code::InvalidTargetBucketForLogging).with("TargetBucket", target));
                }
                found => found?,
            };
        }
        if setting.is_none(&root) {
            self.engine.delete_document(bucket, setting.document()).await?;
        } else {
            self.engine.set_document(bucket, setting.document(), &setting.write(&root)?).await?;
        }
        Ok(answer::empty(StatusCode::OK))
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
