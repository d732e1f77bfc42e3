//! Public access block, policy status and ownership controls of a bucket.

use http::StatusCode;

use super::Call;
use crate::answer::{self, Answer};
use crate::error::{Code, S3Error, S3Result};
use crate::public_access::{BLOCK_DOCUMENT, PublicAccessBlock};
use crate::xml::{Element, XmlWriter};

/// The largest of these documents, in bytes.
const MAX_BYTES: usize = 64 * 1024;
/// The name of the document that holds a bucket's ownership controls.
const OWNERSHIP_DOCUMENT: &str = "ownership-controls";
/// What a bucket may say of the owner of its objects.
const OWNERSHIPS: [&str; 3] = ["BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter"];

impl Call<'_> {
    pub(super) async fn public_access_block(&self) -> S3Result<Answer> {
        let bucket = self.request.bucket()?;
        let missing = || S3Error::from(Code::NoSuchPublicAccessBlockConfiguration).with("BucketName", bucket);
        let block = PublicAccessBlock::of(self.engine, bucket).await?.ok_or_else(missing)?;
        Ok(answer::xml(XmlWriter::document("PublicAccessBlockConfiguration", |xml| block.write(xml))))
    }

    pub(super) async fn put_public_access_block(&mut self) -> S3Result<Answer> {
        let bucket = self.request.bucket()?;
        let body = self.payload.document(self.request, MAX_BYTES).await?;
        let block = PublicAccessBlock::read(&Element::read(&body, "PublicAccessBlockConfiguration")?)?;
        self.engine.set_document(bucket, BLOCK_DOCUMENT, &block.document()?).await?;
        self.access.rules.forget(bucket);
        Ok(answer::empty(StatusCode::OK))
    }

    pub(super) async fn delete_public_access_block(&self) -> S3Result<Answer> {
        let bucket = self.request.bucket()?;
        self.engine.delete_document(bucket, BLOCK_DOCUMENT).await?;
        self.access.rules.forget(bucket);
        Ok(answer::empty(StatusCode::NO_CONTENT))
    }

    pub(super) async fn policy_status(&self) -> S3Result<Answer> {
        let bucket = self.request.bucket()?;
        self.engine.bucket(bucket).await?;
        let rules = self.access.rules.of(self.engine, bucket).await?;
        let missing = || S3Error::from(Code::NoSuchBucketPolicy).with("BucketName", bucket);
        let is_public = rules.policy.as_ref().ok_or_else(missing)?.is_public();
        Ok(answer::xml(XmlWriter::document("PolicyStatus", |xml| xml.value("IsPublic", is_public))))
    }

    pub(super) async fn ownership_controls(&self) -> S3Result<Answer> {
        let bucket = self.request.bucket()?;
        let missing = || S3Error::from(Code::OwnershipControlsNotFoundError).with("BucketName", bucket);
        let ownership = self.engine.document(bucket, OWNERSHIP_DOCUMENT).await?.ok_or_else(missing)?;
        Ok(answer::xml(XmlWriter::document("OwnershipControls", |xml| {
            xml.element("Rule", |xml| xml.text("ObjectOwnership", &ownership));
        })))
    }

    pub(super) async fn put_ownership_controls(&mut self) -> S3Result<Answer> {
        let bucket = self.request.bucket()?;
        let body = self.payload.document(self.request, MAX_BYTES).await?;
        let controls = Element::read(&body, "OwnershipControls")?;
        let rules: Vec<&Element> = controls.children_named("Rule").collect();
        let ownership = match rules.as_slice() {
            [rule] => rule.text_of("ObjectOwnership"),
            _ => None,
        };
        let known = ownership.filter(|ownership| OWNERSHIPS.contains(ownership)).ok_or(Code::MalformedXML)?;
        self.engine.set_document(bucket, OWNERSHIP_DOCUMENT, known).await?;
        self.access.rules.forget(bucket);
        Ok(answer::empty(StatusCode::OK))
    }

    pub(super) async fn delete_ownership_controls(&self) -> S3Result<Answer> {
        let bucket = self.request.bucket()?;
        self.engine.delete_document(bucket, OWNERSHIP_DOCUMENT).await?;
        self.access.rules.forget(bucket);
        Ok(answer::empty(StatusCode::NO_CONTENT))
    }
}
