use http::StatusCode;

use super::Call;
use crate::answer::{self, Answer};
use crate::bucket_cors::{BucketCors, CORS_DOCUMENT, MAX_CORS_BYTES};
use crate::error::{Code, S3Error, S3Result};

impl Call<'_> {
    pub(super) async fn bucket_cors(&self) -> S3Result<Answer> {
        let bucket = self.request.bucket()?;
        let missing = || S3Error::from(Code::NoSuchCORSConfiguration).with("BucketName", bucket);
        let rules = self.access.rules_of(bucket).await?;
        Ok(answer::xml(rules.cors.as_ref().ok_or_else(missing)?.write()))
    }

    pub(super) async fn put_bucket_cors(&mut self) -> S3Result<Answer> {
        let bucket = self.request.bucket()?;
        let body = self.payload.document(self.request, MAX_CORS_BYTES).await?;
        let cors = BucketCors::read(&body)?;
        let text = serde_json::to_string(&cors).map_err(|_| S3Error::from(Code::InternalError))?;
        self.engine.set_document(bucket, CORS_DOCUMENT, &text).await?;
        self.access.rules.forget(bucket);
        Ok(answer::empty(StatusCode::OK))
    }

    pub(super) async fn delete_bucket_cors(&self) -> S3Result<Answer> {
        let bucket = self.request.bucket()?;
        self.engine.delete_document(bucket, CORS_DOCUMENT).await?;
        self.access.rules.forget(bucket);
        Ok(answer::empty(StatusCode::NO_CONTENT))
    }
}
