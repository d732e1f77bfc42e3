use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::auth::Identity;
use crate::engine::{Engine, EngineError};
use crate::error::{Code, S3Error, S3Result};
use crate::operation::Operation;
use crate::policy::{Policy, Verdict};
use crate::request::Request;

/// The name of the document that holds a bucket's policy.
pub(crate) const POLICY_DOCUMENT: &str = "policy";
/// How many buckets' policies are remembered.
const MAX_REMEMBERED: usize = 10_000;

/// The policies of the buckets, read once. This process alone writes them, so that what is remembered is true as
/// long as every change is followed by [`Policies::forget`].
#[derive(Default)]
pub(crate) struct Policies(Mutex<Remembered>);

#[derive(Default)]
struct Remembered {
    /// Grows with each change: what was read before one is not remembered after it.
    changes: u64,
    of_bucket: HashMap<String, Option<Arc<Policy>>>,
}

impl Policies {
    /// Forgets a bucket's policy; said after it has changed.
    pub(crate) fn forget(&self, bucket: &str) {
        let mut remembered = self.lock();
        remembered.changes += 1;
        remembered.of_bucket.remove(bucket);
    }

    async fn of(&self, engine: &Engine, bucket: &str) -> S3Result<Option<Arc<Policy>>> {
        let changes = {
            let remembered = self.lock();
            if let Some(policy) = remembered.of_bucket.get(bucket) {
                return Ok(policy.clone());
            }
            remembered.changes
        };
        let policy = match engine.document(bucket, POLICY_DOCUMENT).await {
            Ok(document) => document.map(|text| Policy::read(&text, bucket).map(Arc::new)).transpose()?,
            // The operation itself says so, where that is an error.
            Err(EngineError::NoSuchBucket(_)) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let mut remembered = self.lock();
        if remembered.changes == changes {
            if remembered.of_bucket.len() >= MAX_REMEMBERED {
                remembered.of_bucket.clear();
            }
            remembered.of_bucket.insert(bucket.to_owned(), policy.clone());
        }
        Ok(policy)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Remembered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What one identity may do: a denial always wins; else a known user may do everything, and an unknown one what a
/// policy allows.
pub(crate) struct Access<'a> {
    pub(crate) policies: &'a Policies,
    pub(crate) engine: &'a Engine,
    pub(crate) identity: &'a Identity,
}

impl Access<'_> {
    /// Refuses an operation that is not allowed on what its request names.
    ///
    /// # Errors
    /// `AccessDenied`.
    pub(crate) async fn require_operation(&self, operation: Operation, request: &Request) -> S3Result<()> {
        let target = request.target();
        match (action_of(operation), target.bucket.as_deref()) {
            // Each key is asked for when it is known.
            (None, _) => Ok(()),
            (Some(action), Some(bucket)) => self.require(action, bucket, target.key.as_deref()).await,
            (Some(_), None) if *self.identity == Identity::Anonymous => Err(Code::AccessDenied.into()),
            (Some(_), None) => Ok(()),
        }
    }

    /// Refuses an action (`s3:GetObject`) that is not allowed on a bucket or an object.
    ///
    /// # Errors
    /// `AccessDenied`.
    pub(crate) async fn require(&self, action: &str, bucket: &str, key: Option<&str>) -> S3Result<()> {
        if *self.identity == Identity::Unchecked {
            return Ok(());
        }
        let is_user = matches!(self.identity, Identity::User(_));
        // Whoever may sign can always mend a policy that denies everything.
        if is_user && action.ends_with("BucketPolicy") {
            return Ok(());
        }
        let resource = key.map_or_else(|| bucket.to_owned(), |key| format!("{bucket}/{key}"));
        let policy = self.policies.of(self.engine, bucket).await?;
        let verdict = policy.map_or(Verdict::Silent, |policy| policy.verdict(self.identity, action, &resource));
        match verdict {
            Verdict::Allow => Ok(()),
            Verdict::Silent if is_user => Ok(()),
            Verdict::Deny => Err(S3Error::new(Code::AccessDenied, "Access Denied by the bucket's policy")),
            Verdict::Silent => Err(Code::AccessDenied.into()),
        }
    }
}

/// The action that a policy names for an operation; `None` where it depends on what the body says.
fn action_of(operation: Operation) -> Option<&'static str> {
    match operation {
        Operation::AbortMultipartUpload => Some("s3:AbortMultipartUpload"),
        Operation::CreateBucket => Some("s3:CreateBucket"),
        Operation::DeleteBucket => Some("s3:DeleteBucket"),
        Operation::DeleteBucketPolicy => Some("s3:DeleteBucketPolicy"),
        Operation::DeleteObject => Some("s3:DeleteObject"),
        Operation::DeleteObjects => None,
        Operation::GetBucketLocation => Some("s3:GetBucketLocation"),
        Operation::GetBucketPolicy => Some("s3:GetBucketPolicy"),
        Operation::GetObject | Operation::GetObjectAttributes | Operation::HeadObject => Some("s3:GetObject"),
        Operation::HeadBucket | Operation::ListObjects | Operation::ListObjectsV2 => Some("s3:ListBucket"),
        Operation::ListBuckets => Some("s3:ListAllMyBuckets"),
        Operation::ListMultipartUploads => Some("s3:ListBucketMultipartUploads"),
        Operation::ListParts => Some("s3:ListMultipartUploadParts"),
        Operation::PutBucketPolicy => Some("s3:PutBucketPolicy"),
        Operation::CompleteMultipartUpload
        | Operation::CopyObject
        | Operation::CreateMultipartUpload
        | Operation::PutObject
        | Operation::UploadPart
        | Operation::UploadPartCopy => Some("s3:PutObject"),
    }
}
