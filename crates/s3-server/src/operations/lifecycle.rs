use http::StatusCode;

use super::Call;
use crate::access::Access;
use crate::amz_time;
use crate::answer::{self, Answer};
use crate::encoding::encode_query;
use crate::engine::{ObjectInfo, UploadInfo, VersionId};
use crate::error::{Code, S3Error, S3Result};
use crate::lifecycle::{DayLength, Lifecycle, Subject};
use crate::xml::XmlWriter;

/// The largest document, in bytes: 1,000 rules with filters of tags.
const MAX_BYTES: usize = 4 << 20;
const MINIMUM_SIZE: &str = "x-amz-transition-default-minimum-object-size";

impl Call<'_> {
    pub(super) async fn lifecycle(&self) -> S3Result<Answer> {
        let bucket = self.request.bucket()?;
        let missing = || S3Error::from(Code::NoSuchLifecycleConfiguration).with("BucketName", bucket);
        let lifecycle = Lifecycle::of(self.engine, bucket).await?.ok_or_else(missing)?;
        let mut answer = answer::xml(XmlWriter::document("LifecycleConfiguration", |xml| lifecycle.write(xml)));
        answer::set(&mut answer, MINIMUM_SIZE, lifecycle.minimum_size.name());
        Ok(answer)
    }

    pub(super) async fn put_lifecycle(&mut self) -> S3Result<Answer> {
        let bucket = self.request.bucket()?;
        let body = self.payload.document(self.request, MAX_BYTES).await?;
        let lifecycle = Lifecycle::read(&body, self.request.header(MINIMUM_SIZE))?;
        lifecycle.set(self.engine, bucket).await?;
        self.access.rules.forget(bucket);
        let mut answer = answer::empty(StatusCode::OK);
        answer::set(&mut answer, MINIMUM_SIZE, lifecycle.minimum_size.name());
        Ok(answer)
    }

    pub(super) async fn delete_lifecycle(&self) -> S3Result<Answer> {
        let bucket = self.request.bucket()?;
        Lifecycle::delete(self.engine, bucket).await?;
        self.access.rules.forget(bucket);
        Ok(answer::empty(StatusCode::NO_CONTENT))
    }

    /// As [`give_expiration`].
    pub(super) async fn give_expiration(&self, answer: &mut Answer, object: &ObjectInfo) -> S3Result<()> {
        give_expiration(self.access, self.day(), self.request.bucket()?, (answer, object)).await
    }

    /// The same of what was read. A version that is not the newest does not end by the rule of the newest.
    pub(super) async fn give_expiration_of_read(
        &self,
        answer: &mut Answer,
        object: &ObjectInfo,
        named: Option<VersionId>,
    ) -> S3Result<()> {
        let bucket = self.request.bucket()?;
        if named.is_some() && self.access.rules_of(bucket).await?.lifecycle.is_some() {
            let newest = self.engine.object(bucket, &object.key, None).await;
            if !newest.is_ok_and(|newest| newest.version == object.version) {
                return Ok(());
            }
        }
        self.give_expiration(answer, object).await
    }

    /// Tells when an upload is aborted, and by which rule.
    pub(super) async fn give_abortion(&self, answer: &mut Answer, upload: &UploadInfo) -> S3Result<()> {
        let rules = self.access.rules_of(self.request.bucket()?).await?;
        let Some(lifecycle) = &rules.lifecycle else { return Ok(()) };
        if let Some((at_ms, rule)) = lifecycle.abortion(&upload.key, upload.initiated_at_ms, self.day()) {
            answer::set(answer, "x-amz-abort-date", amz_time::http(at_ms));
            answer::set(answer, "x-amz-abort-rule-id", encode_query(&rule.id));
        }
        Ok(())
    }

    fn day(&self) -> DayLength {
        DayLength(self.settings.lifecycle_day_ms)
    }
}

/// Tells when the newest version of a key ends, and by which rule.
pub(super) async fn give_expiration(
    access: &Access<'_>,
    day: DayLength,
    bucket: &str,
    (answer, object): (&mut Answer, &ObjectInfo),
) -> S3Result<()> {
    let rules = access.rules_of(bucket).await?;
    let Some(lifecycle) = &rules.lifecycle else { return Ok(()) };
    let subject = Subject { key: &object.key, object: Some((object.size, &object.attributes.tags)) };
    if let Some((at_ms, rule)) = lifecycle.expiry(subject, object.last_modified_ms, day) {
        let (date, id) = (amz_time::http(at_ms), encode_query(&rule.id));
        answer::set(answer, "x-amz-expiration", format!("expiry-date=\"{date}\", rule-id=\"{id}\""));
    }
    Ok(())
}
