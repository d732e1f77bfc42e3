use bytes::Bytes;
use http::StatusCode;

use super::Call;
use crate::answer::{self, Answer};
use crate::bucket_rules::POLICY_DOCUMENT;
use crate::error::{Code, S3Error, S3Result};
use crate::policy::Policy;

/// The largest policy that S3 takes, in bytes.
const MAX_POLICY_BYTES: usize = 20 * 1024;

impl Call<'_> {
    pub(super) async fn policy(&self) -> S3Result<Answer> {
        let bucket = self.request.bucket()?;
        let missing = || S3Error::from(Code::NoSuchBucketPolicy).with("BucketName", bucket);
        let policy = self.engine.document(bucket, POLICY_DOCUMENT).await?.ok_or_else(missing)?;
        Ok(answer::typed("application/json", Bytes::from(policy)))
    }

    pub(super) async fn put_policy(&mut self) -> S3Result<Answer> {
        let bucket = self.request.bucket()?;
        let body = self.payload.document(self.request, MAX_POLICY_BYTES).await?;
        let text = std::str::from_utf8(&body).map_err(|_| S3Error::from(Code::MalformedPolicy))?;
        let policy = Policy::read(text, bucket)?;
        if policy.is_public() && self.access.rules_of(bucket).await?.block.block_public_policy {
            return Err(S3Error::new(
                Code::AccessDenied,
                "Access Denied: the bucket's public access block refuses a public policy",
            ));
        }
        self.engine.set_document(bucket, POLICY_DOCUMENT, text).await?;
        self.access.rules.forget(bucket);
        Ok(answer::empty(StatusCode::NO_CONTENT))
    }

    pub(super) async fn delete_policy(&self) -> S3Result<Answer> {
        let bucket = self.request.bucket()?;
        self.engine.delete_document(bucket, POLICY_DOCUMENT).await?;
        self.access.rules.forget(bucket);
        Ok(answer::empty(StatusCode::NO_CONTENT))
    }
}
