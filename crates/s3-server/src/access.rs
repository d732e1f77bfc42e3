use std::sync::Arc;

use crate::acl::{self, Subject};
use crate::auth::{Account, Accounts, Identity};
use crate::bucket_rules::{BucketRules, Rules};
use crate::engine::{Engine, EngineError, ObjectAttributes, ObjectInfo, VersionId};
use crate::error::{Code, S3Error, S3Result};
use crate::expected_owner;
use crate::operation::Operation;
use crate::policy::Facts;
use crate::rights::{Existing, Question, Thing, is_about_object, is_missing};

/// What one request may do, and who owns what it writes.
#[derive(Clone, Copy)]
pub(crate) struct Access<'a> {
    pub(crate) rules: &'a BucketRules,
    pub(crate) engine: &'a Engine,
    pub(crate) accounts: &'a Accounts,
    pub(crate) facts: Facts<'a>,
}

impl Access<'_> {
    /// Refuses an operation that is not allowed on what its request names.
    ///
    /// # Errors
    /// `AccessDenied`, `NoSuchBucket`.
    pub(crate) async fn require_operation(&self, operation: Operation) -> S3Result<()> {
        let request = self.facts.request;
        let target = request.target();
        let is_versioned = request.query().has("versionId");
        let is_known = !matches!(self.facts.identity, Identity::Anonymous);
        let bucket = match target.bucket.as_deref() {
            Some(bucket) if operation != Operation::CreateBucket => bucket,
            _ if is_known => return Ok(()),
            _ => return Err(Code::AccessDenied.into()),
        };
        let Some(action) = action_of(operation, is_versioned) else {
            // Each key is asked for when it is known.
            return Ok(());
        };
        // An id that can't be one is refused by the operation.
        let version = request.query().get("versionId").and_then(VersionId::read);
        let asked = self.require_of_version(action, bucket, target.key.as_deref(), version).await;
        match operation {
            Operation::AbortMultipartUpload | Operation::ListParts if asked.is_err() => {
                if self.may_as_initiator(action).await? { Ok(()) } else { asked }
            }
            _ => asked,
        }
    }

    /// Refuses a request that takes its bucket to be another account's.
    ///
    /// # Errors
    /// `AccessDenied`, `InvalidBucketOwnerAWSAccountID`, `NoSuchBucket`.
    pub(crate) async fn require_expected_owner(&self, operation: Operation) -> S3Result<()> {
        let request = self.facts.request;
        match (request.header(expected_owner::OF_BUCKET), &request.target().bucket) {
            (Some(expected), Some(bucket)) if operation != Operation::CreateBucket => {
                expected_owner::check(expected, &self.rules_of(bucket).await?.owner)
            }
            _ => Ok(()),
        }
    }

    /// Refuses an action (`s3:PutObject`) that is not allowed on a bucket, or on a key whatever it holds.
    ///
    /// # Errors
    /// `AccessDenied`, `NoSuchBucket`.
    pub(crate) async fn require(&self, action: &str, bucket: &str, key: Option<&str>) -> S3Result<()> {
        if self.is_open() {
            return Ok(());
        }
        let rules = self.rules_of(bucket).await?;
        let tags = self.asked_tags(&rules, action, bucket, (key, None)).await?;
        self.decide((&rules, tags.as_deref()), action, (bucket, key), &Thing::NotAsked)
    }

    /// The same, where what is asked for may be an object that is there, or a version of one.
    ///
    /// # Errors
    /// `AccessDenied`, also for what is not there where whoever asks may not list; `NoSuchBucket`.
    pub(crate) async fn require_of_version(
        &self,
        action: &str,
        bucket: &str,
        key: Option<&str>,
        version: Option<VersionId>,
    ) -> S3Result<()> {
        if self.is_open() {
            return Ok(());
        }
        let rules = self.rules_of(bucket).await?;
        let Some(key) = key.filter(|_| is_about_object(action)) else {
            let tags = self.asked_tags(&rules, action, bucket, (key, version)).await?;
            return self.decide((&rules, tags.as_deref()), action, (bucket, key), &Thing::NotAsked);
        };
        let asks_tags = rules.policy.as_ref().is_some_and(crate::policy::Policy::asks_existing_tags);
        if self.owns_all_in(&rules) && !asks_tags {
            return self.decide((&rules, None), action, (bucket, Some(key)), &Thing::NotAsked);
        }
        let found = self.engine.object(bucket, key, version).await;
        self.require_on(action, bucket, key, found.as_ref()).await
    }

    /// The same, where the object was looked up already: what was decided is decided of that very object.
    ///
    /// # Errors
    /// `AccessDenied`, `NoSuchBucket`, and what the lookup failed with, unless nothing is there.
    pub(crate) async fn require_on(
        &self,
        action: &str,
        bucket: &str,
        key: &str,
        found: Result<&ObjectInfo, &EngineError>,
    ) -> S3Result<()> {
        if self.is_open() {
            return Ok(());
        }
        let rules = self.rules_of(bucket).await?;
        match found {
            Ok(object) => {
                let (owner, acl) =
                    (rules.owner_of(&object.attributes, self.accounts), acl::of_object(&object.attributes)?);
                let thing = Thing::Found(Existing { owner: &owner, acl: &acl });
                self.decide((&rules, Some(&object.attributes.tags)), action, (bucket, Some(key)), &thing)
            }
            Err(error) if is_missing(error) => {
                self.decide((&rules, None), action, (bucket, Some(key)), &Thing::Missing)
            }
            Err(error) => Err(error.clone().into()),
        }
    }

    /// What a bucket says of who may do what in it.
    ///
    /// # Errors
    /// `NoSuchBucket`, and the engine's.
    pub(crate) async fn rules_of(&self, bucket: &str) -> S3Result<Arc<Rules>> {
        self.rules.of(self.engine, self.accounts, bucket).await
    }

    /// The account in whose name something is done: that of whoever signs; the server's own where nobody is asked;
    /// `None` for nobody known.
    pub(crate) fn account(&self) -> Option<&Arc<Account>> {
        match self.facts.identity {
            Identity::Unchecked => Some(self.accounts.own()),
            Identity::User(_) | Identity::Anonymous => self.facts.identity.account(),
        }
    }

    /// Gives what is written its owner and its list: an upload, or an object that is then settled. What nobody known
    /// writes is the bucket owner's.
    ///
    /// # Errors
    /// `AccessControlListNotSupported`, `AccessDenied` for a public list where the bucket blocks those, and what
    /// [`acl::of_headers`] refuses.
    pub(crate) async fn give_owner(&self, attributes: &mut ObjectAttributes, bucket: &str) -> S3Result<()> {
        let rules = self.rules_of(bucket).await?;
        let request = self.facts.request;
        let writer = match self.facts.identity {
            Identity::User(user) => &user.account,
            Identity::Anonymous | Identity::Unchecked => &rules.owner,
        };
        attributes.owner = (writer.canonical_id != rules.owner.canonical_id).then(|| writer.canonical_id.clone());
        if rules.are_acls_off() {
            return acl::require_harmless(request);
        }
        let subject = Subject { owner: writer, bucket_owner: Some(&rules.owner) };
        let acl = acl::of_headers(request, self.accounts, subject)?;
        if rules.block.block_public_acls && acl.as_ref().is_some_and(acl::Acl::is_public) {
            return Err(blocked());
        }
        attributes.acl = acl.map(|acl| acl.kept()).transpose()?.flatten();
        Ok(())
    }

    /// The same, for an object.
    ///
    /// # Errors
    /// As [`Access::give_owner`].
    pub(crate) async fn give_object_owner(&self, attributes: &mut ObjectAttributes, bucket: &str) -> S3Result<()> {
        self.give_owner(attributes, bucket).await?;
        Ok(self.rules_of(bucket).await?.settle(attributes)?)
    }

    fn is_open(&self) -> bool {
        matches!(self.facts.identity, Identity::Unchecked)
    }

    /// Whether there can't be an object in the bucket that whoever asks doesn't own.
    fn owns_all_in(&self, rules: &Rules) -> bool {
        let owns_bucket =
            self.facts.identity.account().is_some_and(|account| account.canonical_id == rules.owner.canonical_id);
        owns_bucket && (rules.are_acls_off() || !self.accounts.are_several())
    }

    fn decide(
        &self,
        (rules, tags): (&Rules, Option<&[(String, String)]>),
        action: &str,
        (bucket, key): (&str, Option<&str>),
        thing: &Thing<'_>,
    ) -> S3Result<()> {
        let facts = Facts { existing_tags: tags, resource_account: &rules.owner.number, ..self.facts };
        Question { facts: &facts, accounts: self.accounts, rules, action, bucket, key }.decide(thing)
    }

    /// The tags of what is at a key, where the bucket's policy looks at them.
    async fn asked_tags(
        &self,
        rules: &Rules,
        action: &str,
        bucket: &str,
        (key, version): (Option<&str>, Option<VersionId>),
    ) -> S3Result<Option<Vec<(String, String)>>> {
        let Some(key) = key.filter(|_| action != "s3:PutObject") else { return Ok(None) };
        if !rules.policy.as_ref().is_some_and(crate::policy::Policy::asks_existing_tags) {
            return Ok(None);
        }
        match self.engine.object(bucket, key, version).await {
            Ok(object) => Ok(Some(object.attributes.tags)),
            Err(EngineError::Storage(error)) => Err(EngineError::Storage(error).into()),
            // What is not there has no tags; the operation itself says that it is not there.
            Err(_) => Ok(None),
        }
    }

    /// Whoever began an upload may list its parts and abort it, unless the policy denies it.
    async fn may_as_initiator(&self, action: &str) -> S3Result<bool> {
        let Some(account) = self.facts.identity.account() else { return Ok(false) };
        let request = self.facts.request;
        let (bucket, key) = (request.bucket()?, request.key()?);
        let rules = self.rules_of(bucket).await?;
        let facts = Facts { resource_account: &rules.owner.number, ..self.facts };
        let question =
            Question { facts: &facts, accounts: self.accounts, rules: &rules, action, bucket, key: Some(key) };
        if question.is_denied() {
            return Ok(false);
        }
        let id = request.query().get("uploadId").unwrap_or_default();
        match self.engine.upload(bucket, key, id).await {
            Ok(upload) => Ok(upload.attributes.owner.as_ref() == Some(&account.canonical_id)),
            Err(EngineError::Storage(error)) => Err(EngineError::Storage(error).into()),
            // Whoever may not list learns nothing of uploads.
            Err(_) => Ok(false),
        }
    }
}

/// The refusal of a list that lets everybody in.
pub(crate) fn blocked() -> S3Error {
    S3Error::new(Code::AccessDenied, "Access Denied: the bucket's public access block refuses a public ACL")
}

/// The action that a policy names for an operation; `None` where it depends on what the body says.
fn action_of(operation: Operation, is_versioned: bool) -> Option<&'static str> {
    match operation {
        Operation::DeleteBucketEncryption | Operation::PutBucketEncryption => Some("s3:PutEncryptionConfiguration"),
        Operation::GetBucketAccelerateConfiguration => Some("s3:GetAccelerateConfiguration"),
        Operation::GetBucketLogging => Some("s3:GetBucketLogging"),
        Operation::GetBucketNotificationConfiguration => Some("s3:GetBucketNotification"),
        Operation::GetBucketReplication => Some("s3:GetReplicationConfiguration"),
        Operation::DeleteBucketReplication => Some("s3:PutReplicationConfiguration"),
        Operation::GetBucketRequestPayment => Some("s3:GetBucketRequestPayment"),
        Operation::GetBucketWebsite => Some("s3:GetBucketWebsite"),
        Operation::DeleteBucketWebsite => Some("s3:DeleteBucketWebsite"),
        Operation::PutBucketAccelerateConfiguration => Some("s3:PutAccelerateConfiguration"),
        Operation::PutBucketLogging => Some("s3:PutBucketLogging"),
        Operation::PutBucketNotificationConfiguration => Some("s3:PutBucketNotification"),
        Operation::PutBucketRequestPayment => Some("s3:PutBucketRequestPayment"),
        Operation::PutBucketWebsite => Some("s3:PutBucketWebsite"),
        Operation::GetBucketEncryption => Some("s3:GetEncryptionConfiguration"),
        Operation::DeleteBucketTagging | Operation::PutBucketTagging => Some("s3:PutBucketTagging"),
        Operation::DeleteObject if is_versioned => Some("s3:DeleteObjectVersion"),
        Operation::DeleteObjectTagging if is_versioned => Some("s3:DeleteObjectVersionTagging"),
        Operation::DeleteObjectTagging => Some("s3:DeleteObjectTagging"),
        Operation::GetBucketTagging => Some("s3:GetBucketTagging"),
        Operation::GetBucketVersioning => Some("s3:GetBucketVersioning"),
        Operation::GetObjectTagging if is_versioned => Some("s3:GetObjectVersionTagging"),
        Operation::GetObjectTagging => Some("s3:GetObjectTagging"),
        Operation::ListObjectVersions => Some("s3:ListBucketVersions"),
        Operation::PutBucketVersioning => Some("s3:PutBucketVersioning"),
        Operation::AbortMultipartUpload => Some("s3:AbortMultipartUpload"),
        Operation::CreateBucket => Some("s3:CreateBucket"),
        Operation::DeleteBucket => Some("s3:DeleteBucket"),
        Operation::DeleteBucketPolicy => Some("s3:DeleteBucketPolicy"),
        Operation::DeleteObject => Some("s3:DeleteObject"),
        Operation::DeleteObjects
        | Operation::PostObject
        | Operation::PutObjectRetention
        | Operation::PutObjectTagging => None,
        Operation::GetBucketLifecycleConfiguration => Some("s3:GetLifecycleConfiguration"),
        Operation::DeleteBucketLifecycle | Operation::PutBucketLifecycleConfiguration => {
            Some("s3:PutLifecycleConfiguration")
        }
        Operation::GetObjectLegalHold => Some("s3:GetObjectLegalHold"),
        Operation::GetObjectLockConfiguration => Some("s3:GetBucketObjectLockConfiguration"),
        Operation::GetObjectRetention => Some("s3:GetObjectRetention"),
        Operation::PutObjectLegalHold => Some("s3:PutObjectLegalHold"),
        Operation::PutObjectLockConfiguration => Some("s3:PutBucketObjectLockConfiguration"),
        Operation::DeleteBucketOwnershipControls => Some("s3:PutBucketOwnershipControls"),
        Operation::DeletePublicAccessBlock => Some("s3:PutBucketPublicAccessBlock"),
        Operation::GetBucketAcl => Some("s3:GetBucketAcl"),
        Operation::GetBucketCors => Some("s3:GetBucketCORS"),
        Operation::DeleteBucketCors | Operation::PutBucketCors => Some("s3:PutBucketCORS"),
        Operation::PutBucketAcl => Some("s3:PutBucketAcl"),
        Operation::GetBucketLocation => Some("s3:GetBucketLocation"),
        Operation::GetBucketOwnershipControls => Some("s3:GetBucketOwnershipControls"),
        Operation::GetBucketPolicy => Some("s3:GetBucketPolicy"),
        Operation::GetBucketPolicyStatus => Some("s3:GetBucketPolicyStatus"),
        Operation::GetPublicAccessBlock => Some("s3:GetBucketPublicAccessBlock"),
        // They ask of the object that they have found.
        Operation::GetObject
        | Operation::GetObjectAcl
        | Operation::GetObjectAttributes
        | Operation::HeadObject
        | Operation::PutObjectAcl => None,
        Operation::HeadBucket | Operation::ListObjects | Operation::ListObjectsV2 => Some("s3:ListBucket"),
        Operation::ListBuckets => Some("s3:ListAllMyBuckets"),
        Operation::ListMultipartUploads => Some("s3:ListBucketMultipartUploads"),
        Operation::ListParts => Some("s3:ListMultipartUploadParts"),
        Operation::PutBucketOwnershipControls => Some("s3:PutBucketOwnershipControls"),
        Operation::PutBucketPolicy => Some("s3:PutBucketPolicy"),
        Operation::PutPublicAccessBlock => Some("s3:PutBucketPublicAccessBlock"),
        Operation::CompleteMultipartUpload
        | Operation::CopyObject
        | Operation::CreateMultipartUpload
        | Operation::PutObject
        | Operation::UploadPart
        | Operation::UploadPartCopy => Some("s3:PutObject"),
    }
}
