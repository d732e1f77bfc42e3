//! Public access block, policy status and ownership controls of a bucket.

use http::StatusCode;

use super::Call;
use crate::answer::{self, Answer};
use crate::error::{Code, S3Error, S3Result};
use crate::ownership::{OWNERSHIP_DOCUMENT, Ownership};
use crate::public_access::{BLOCK_DOCUMENT, PublicAccessBlock};
use crate::xml::{Element, XmlWriter};

/// The largest of these documents, in bytes.
const MAX_BYTES: usize = 64 * 1024;

impl Call<'_> {
    pub(super) async fn public_access_block(&self) -> S3Result<Answer> {
        let bucket = self.request.bucket()?;
        let missing = || S3Error::from(Code::NoSuchPublicAccessBlockConfiguration).with("BucketName", bucket);
        let documents = self.engine.documents(bucket).await?;
        let block = PublicAccessBlock::of_documents(&documents)?.ok_or_else(missing)?;
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

    /// Of the policy and the bucket's list; a bucket that has neither has no status.
    pub(super) async fn policy_status(&self) -> S3Result<Answer> {
        let bucket = self.request.bucket()?;
        let rules = self.access.rules_of(bucket).await?;
        let is_open_by_list = rules.acl().is_public() && !rules.block.ignore_public_acls;
        let is_public = match &rules.policy {
            Some(policy) => is_open_by_list || policy.is_public(),
            None if is_open_by_list => true,
            None => return Err(S3Error::from(Code::NoSuchBucketPolicy).with("BucketName", bucket)),
        };
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
        let ownership = ownership.and_then(Ownership::named).ok_or(Code::MalformedXML)?;
        let rules = self.access.rules_of(bucket).await?;
        if ownership == Ownership::BucketOwnerEnforced && !rules.kept_acl.is_of_owner_alone() {
            return Err(Code::InvalidBucketAclWithObjectOwnership.into());
        }
        self.engine.set_document(bucket, OWNERSHIP_DOCUMENT, ownership.name()).await?;
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
