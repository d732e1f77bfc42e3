use bytes::Bytes;
use http::StatusCode;

use super::Call;
use crate::answer::{self, Answer};
use crate::error::{Code, S3Error, S3Result};
use crate::policy::Policy;

/// The largest policy that S3 takes, in bytes.
const MAX_POLICY_BYTES: usize = 20 * 1024;
/// The name of the document that holds a bucket's policy.
pub(crate) const POLICY: &str = "policy";

impl Call<'_> {
    pub(super) async fn policy(&self) -> S3Result<Answer> {
        let bucket = self.request.bucket()?;
        let missing = || S3Error::from(Code::NoSuchBucketPolicy).with("BucketName", bucket);
        let policy = self.engine.document(bucket, POLICY).await?.ok_or_else(missing)?;
        Ok(answer::typed("application/json", Bytes::from(policy)))
    }

    pub(super) async fn put_policy(&mut self) -> S3Result<Answer> {
        let bucket = self.request.bucket()?;
        let body = self.payload.document(self.request, MAX_POLICY_BYTES).await?;
        let text = std::str::from_utf8(&body).map_err(|_| S3Error::from(Code::MalformedPolicy))?;
        Policy::read(text, bucket)?;
        self.engine.set_document(bucket, POLICY, text).await?;
        Ok(answer::empty(StatusCode::NO_CONTENT))
    }

    pub(super) async fn delete_policy(&self) -> S3Result<Answer> {
        self.engine.delete_document(self.request.bucket()?, POLICY).await?;
        Ok(answer::empty(StatusCode::NO_CONTENT))
    }
}
