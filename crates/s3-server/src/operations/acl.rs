use std::sync::Arc;

use http::StatusCode;

use super::Call;
use super::versions::{give_version, version_named};
use crate::access::blocked;
use crate::acl::{self, ACL_DOCUMENT, Acl, MAX_ACL_BYTES, Subject};
use crate::answer::{self, Answer};
use crate::bucket_rules::Rules;
use crate::engine::EngineError;
use crate::error::{Code, S3Error, S3Result};

impl Call<'_> {
    pub(super) async fn bucket_acl(&self) -> S3Result<Answer> {
        let rules = self.access.rules_of(self.request.bucket()?).await?;
        let subject = Subject { owner: &rules.owner, bucket_owner: None };
        Ok(answer::xml(acl::write(&rules.acl(), self.access.accounts, subject)))
    }

    pub(super) async fn put_bucket_acl(&mut self) -> S3Result<Answer> {
        let bucket = self.request.bucket()?;
        let rules = self.access.rules_of(bucket).await?;
        let acl = self.asked_acl(&rules, Subject { owner: &rules.owner, bucket_owner: None }).await?;
        self.keep_bucket_acl(bucket, acl.kept()?).await?;
        Ok(answer::empty(StatusCode::OK))
    }

    pub(super) async fn object_acl(&self) -> S3Result<Answer> {
        let version = version_named(self.request)?;
        let bucket = self.request.bucket()?;
        let found = self.engine.object(bucket, self.request.key()?, version).await;
        let action = if version.is_some() { "s3:GetObjectVersionAcl" } else { "s3:GetObjectAcl" };
        self.access.require_on(action, bucket, self.request.key()?, found.as_ref()).await?;
        let object = found?;
        let rules = self.access.rules_of(bucket).await?;
        let owner = rules.owner_of(&object.attributes, self.access.accounts);
        let acl = if rules.are_acls_off() { Acl::private() } else { acl::of_object(&object.attributes)? };
        let subject = Subject { owner: &owner, bucket_owner: Some(&rules.owner) };
        let mut answer = answer::xml(acl::write(&acl, self.access.accounts, subject));
        give_version(&mut answer, object.version);
        Ok(answer)
    }

    pub(super) async fn put_object_acl(&mut self) -> S3Result<Answer> {
        let version = version_named(self.request)?;
        let (bucket, key) = (self.request.bucket()?, self.request.key()?);
        let found = self.engine.object(bucket, key, version).await;
        let action = if version.is_some() { "s3:PutObjectVersionAcl" } else { "s3:PutObjectAcl" };
        self.access.require_on(action, bucket, key, found.as_ref()).await?;
        let object = found?;
        let rules = self.access.rules_of(bucket).await?;
        let owner = rules.owner_of(&object.attributes, self.access.accounts);
        let acl = self.asked_acl(&rules, Subject { owner: &owner, bucket_owner: Some(&rules.owner) }).await?;
        let (owner, acl) = (object.attributes.owner, acl.kept()?);
        // The very version that was looked at: another may be the newest by now.
        let version = version.or(object.version);
        let version = match self.engine.set_acl(bucket, key, version, (owner, acl)).await {
            Err(EngineError::PreconditionFailed) => return Err(Code::ConditionalRequestConflict.into()),
            set => set?,
        };
        let mut answer = answer::empty(StatusCode::OK);
        give_version(&mut answer, version);
        Ok(answer)
    }

    /// Sets a bucket's list, given as it is kept.
    pub(super) async fn keep_bucket_acl(&self, bucket: &str, acl: Option<String>) -> S3Result<()> {
        match acl {
            Some(acl) => self.engine.set_document(bucket, ACL_DOCUMENT, &acl).await?,
            None => drop(self.engine.delete_document(bucket, ACL_DOCUMENT).await?),
        }
        self.access.rules.forget(bucket);
        Ok(())
    }

    /// The list that a request sets, by its headers or its body.
    async fn asked_acl(&mut self, rules: &Arc<Rules>, subject: Subject<'_>) -> S3Result<Acl> {
        if rules.are_acls_off() {
            return Err(Code::AccessControlListNotSupported.into());
        }
        let accounts = self.access.accounts;
        let by_headers = acl::of_headers(self.request, accounts, subject)?;
        let body = self.payload.document(self.request, MAX_ACL_BYTES).await?;
        let acl = match by_headers {
            Some(_) if !body.is_empty() => return Err(Code::UnexpectedContent.into()),
            Some(acl) => acl,
            None if body.is_empty() => {
                return Err(S3Error::from(Code::MissingSecurityHeader).with("MissingHeaderName", "x-amz-acl"));
            }
            None => acl::of_document(&body, accounts, subject)?,
        };
        if rules.block.block_public_acls && acl.is_public() {
            return Err(blocked());
        }
        Ok(acl)
    }
}
