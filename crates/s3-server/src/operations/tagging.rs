use http::StatusCode;

use super::Call;
use super::versions::{give_version, version_named};
use crate::access::Access;
use crate::answer::{self, Answer};
use crate::engine::{ObjectInfo, VersionId};
use crate::error::{Code, S3Error, S3Result};
use crate::policy::Facts;
use crate::tag_set::{self, MAX_BUCKET_TAGS, MAX_OBJECT_TAGS};
use crate::xml::XmlWriter;

/// The name of the document that holds a bucket's tags.
const TAGGING_DOCUMENT: &str = "tagging";
/// The largest document, in bytes: 50 tags of the longest, written as references.
const MAX_TAGGING_BYTES: usize = 256 * 1024;

impl Call<'_> {
    pub(super) async fn object_tagging(&self) -> S3Result<Answer> {
        let version = version_named(self.request)?;
        let object = self.engine.object(self.request.bucket()?, self.request.key()?, version).await?;
        let mut answer =
            answer::xml(XmlWriter::document("Tagging", |xml| tag_set::write(xml, &object.attributes.tags)));
        give_version(&mut answer, object.version);
        Ok(answer)
    }

    pub(super) async fn put_object_tagging(&mut self) -> S3Result<Answer> {
        let (bucket, key) = (self.request.bucket()?, self.request.key()?);
        let version = version_named(self.request)?;
        let body = self.payload.document(self.request, MAX_TAGGING_BYTES).await?;
        let tags = tag_set::of_document(&body, MAX_OBJECT_TAGS)?;
        // Policies may look at the tags, so that nothing is decided before they are read.
        let access = Access { facts: Facts { tags: Some(&tags), ..self.access.facts }, ..*self.access };
        let action = if version.is_some() { "s3:PutObjectVersionTagging" } else { "s3:PutObjectTagging" };
        access.require_of_version(action, bucket, Some(key), version).await?;
        let version = self.engine.set_tags(bucket, key, version, tags).await?;
        let mut answer = answer::empty(StatusCode::OK);
        give_version(&mut answer, version);
        Ok(answer)
    }

    pub(super) async fn delete_object_tagging(&self) -> S3Result<Answer> {
        let version = version_named(self.request)?;
        let (bucket, key) = (self.request.bucket()?, self.request.key()?);
        let version = self.engine.set_tags(bucket, key, version, Vec::new()).await?;
        let mut answer = answer::empty(StatusCode::NO_CONTENT);
        give_version(&mut answer, version);
        Ok(answer)
    }

    /// Tells how many tags a version has, to whom may read them.
    pub(super) async fn give_tagging_count(&self, answer: &mut Answer, object: &ObjectInfo) {
        let (count, Ok(bucket)) = (object.attributes.tags.len(), self.request.bucket()) else { return };
        if count == 0 {
            return;
        }
        let version = self.request.query().get("versionId").and_then(VersionId::read);
        let action = if version.is_some() { "s3:GetObjectVersionTagging" } else { "s3:GetObjectTagging" };
        if self.access.require_of_version(action, bucket, Some(&object.key), version).await.is_ok() {
            answer::set(answer, "x-amz-tagging-count", count.to_string());
        }
    }

    pub(super) async fn bucket_tagging(&self) -> S3Result<Answer> {
        let bucket = self.request.bucket()?;
        let missing = || S3Error::from(Code::NoSuchTagSet).with("BucketName", bucket);
        let document = self.engine.document(bucket, TAGGING_DOCUMENT).await?.ok_or_else(missing)?;
        let tags = tag_set::of_document(document.as_bytes(), MAX_BUCKET_TAGS)?;
        Ok(answer::xml(XmlWriter::document("Tagging", |xml| tag_set::write(xml, &tags))))
    }

    pub(super) async fn put_bucket_tagging(&mut self) -> S3Result<Answer> {
        let bucket = self.request.bucket()?;
        let body = self.payload.document(self.request, MAX_TAGGING_BYTES).await?;
        tag_set::of_document(&body, MAX_BUCKET_TAGS)?;
        let text = std::str::from_utf8(&body).map_err(|_| S3Error::from(Code::MalformedXML))?;
        self.engine.set_document(bucket, TAGGING_DOCUMENT, text).await?;
        Ok(answer::empty(StatusCode::NO_CONTENT))
    }

    pub(super) async fn delete_bucket_tagging(&self) -> S3Result<Answer> {
        self.engine.delete_document(self.request.bucket()?, TAGGING_DOCUMENT).await?;
        Ok(answer::empty(StatusCode::NO_CONTENT))
    }
}
