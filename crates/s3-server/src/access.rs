use crate::auth::Identity;
use crate::bucket_rules::BucketRules;
use crate::engine::{Engine, EngineError, VersionId};
use crate::error::{Code, S3Error, S3Result};
use crate::operation::Operation;
use crate::policy::{Facts, Verdict};

/// What one request may do: a denial always wins; else a known user may do everything, and an unknown one what a
/// policy allows.
pub(crate) struct Access<'a> {
    pub(crate) rules: &'a BucketRules,
    pub(crate) engine: &'a Engine,
    pub(crate) facts: Facts<'a>,
}

impl Access<'_> {
    /// Refuses an operation that is not allowed on what its request names.
    ///
    /// # Errors
    /// `AccessDenied`.
    pub(crate) async fn require_operation(&self, operation: Operation) -> S3Result<()> {
        let target = self.facts.request.target();
        let is_versioned = self.facts.request.query().has("versionId");
        let Some(action) = action_of(operation, is_versioned) else {
            // Each key is asked for when it is known.
            return Ok(());
        };
        let Some(bucket) = target.bucket.as_deref() else {
            return match self.facts.identity {
                Identity::Anonymous => Err(Code::AccessDenied.into()),
                Identity::User(_) | Identity::Unchecked => Ok(()),
            };
        };
        // An id that can't be one is refused by the operation.
        let version = self.facts.request.query().get("versionId").and_then(VersionId::read);
        self.require_of_version(action, bucket, target.key.as_deref(), version).await?;
        if operation == Operation::GetObjectAttributes {
            let action = if is_versioned { "s3:GetObjectVersionAttributes" } else { "s3:GetObjectAttributes" };
            self.require_of_version(action, bucket, target.key.as_deref(), version).await?;
        }
        Ok(())
    }

    /// Refuses an action (`s3:GetObject`) that is not allowed on a bucket or an object.
    ///
    /// # Errors
    /// `AccessDenied`.
    pub(crate) async fn require(&self, action: &str, bucket: &str, key: Option<&str>) -> S3Result<()> {
        self.require_of_version(action, bucket, key, None).await
    }

    /// The same, where what is asked for is a version of an object.
    ///
    /// # Errors
    /// `AccessDenied`.
    pub(crate) async fn require_of_version(
        &self,
        action: &str,
        bucket: &str,
        key: Option<&str>,
        version: Option<VersionId>,
    ) -> S3Result<()> {
        let is_user = match self.facts.identity {
            Identity::Unchecked => return Ok(()),
            Identity::User(_) => true,
            Identity::Anonymous => false,
        };
        // Whoever may sign can always mend a policy that denies everything.
        if is_user && action.ends_with("BucketPolicy") {
            return Ok(());
        }
        let resource = key.map_or_else(|| bucket.to_owned(), |key| format!("{bucket}/{key}"));
        let rules = self.rules.of(self.engine, bucket).await?;
        let Some(policy) = &rules.policy else {
            return if is_user { Ok(()) } else { Err(Code::AccessDenied.into()) };
        };
        let tags = match key.filter(|_| policy.asks_existing_tags() && action != "s3:PutObject") {
            Some(key) => self.tags_of(bucket, key, version).await?,
            None => None,
        };
        let facts = Facts { existing_tags: tags.as_deref(), ..self.facts };
        match policy.verdict(&facts, action, &resource) {
            Verdict::Deny => Err(S3Error::new(Code::AccessDenied, "Access Denied by the bucket's policy")),
            Verdict::Allow | Verdict::Silent if is_user => Ok(()),
            Verdict::Allow if rules.block.restrict_public_buckets && policy.is_public() => {
                Err(S3Error::new(Code::AccessDenied, "Access Denied by the bucket's public access block"))
            }
            Verdict::Allow => Ok(()),
            Verdict::Silent => Err(Code::AccessDenied.into()),
        }
    }

    async fn tags_of(&self, bucket: &str, key: &str, version: Option<VersionId>) -> S3Result<Option<Tags>> {
        match self.engine.object(bucket, key, version).await {
            Ok(object) => Ok(Some(object.attributes.tags)),
            Err(EngineError::Storage(error)) => Err(EngineError::Storage(error).into()),
            // What is not there has no tags; the operation itself says that it is not there.
            Err(_) => Ok(None),
        }
    }
}

/// Names and values.
type Tags = Vec<(String, String)>;

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
        Operation::GetObject | Operation::GetObjectAttributes | Operation::HeadObject if is_versioned => {
            Some("s3:GetObjectVersion")
        }
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
        Operation::GetObjectLegalHold => Some("s3:GetObjectLegalHold"),
        Operation::GetObjectLockConfiguration => Some("s3:GetBucketObjectLockConfiguration"),
        Operation::GetObjectRetention => Some("s3:GetObjectRetention"),
        Operation::PutObjectLegalHold => Some("s3:PutObjectLegalHold"),
        Operation::PutObjectLockConfiguration => Some("s3:PutBucketObjectLockConfiguration"),
        Operation::DeleteBucketOwnershipControls => Some("s3:PutBucketOwnershipControls"),
        Operation::DeletePublicAccessBlock => Some("s3:PutBucketPublicAccessBlock"),
        Operation::GetBucketLocation => Some("s3:GetBucketLocation"),
        Operation::GetBucketOwnershipControls => Some("s3:GetBucketOwnershipControls"),
        Operation::GetBucketPolicy => Some("s3:GetBucketPolicy"),
        Operation::GetBucketPolicyStatus => Some("s3:GetBucketPolicyStatus"),
        Operation::GetPublicAccessBlock => Some("s3:GetBucketPublicAccessBlock"),
        Operation::GetObject | Operation::GetObjectAttributes | Operation::HeadObject => Some("s3:GetObject"),
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
