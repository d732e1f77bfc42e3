//! Who has which right: the owners, the access control lists and the policy weighed against each other.
//!
//! - A denial by the policy wins over everything but the bucket owner's right to mend the policy.
//! - What is about a bucket, and writes into it: the bucket's owner, whom the policy allows, whom the bucket's list
//!   grants it.
//! - What is about an object: its owner, and whom its list grants it; where the bucket's owner owns it, also whom the
//!   policy allows. The bucket's owner may delete an object of another account, and not read it.
//! - What is not there: whoever may list learns that it is missing, everybody else only that they may not.

use crate::acl::{Acl, Asks, Permission};
use crate::auth::{Account, Accounts};
use crate::bucket_rules::Rules;
use crate::engine::EngineError;
use crate::error::{Code, S3Error, S3Result};
use crate::policy::{Facts, Verdict};

/// A question: may somebody do that?
#[derive(Clone, Copy)]
pub(crate) struct Question<'a> {
    pub(crate) facts: &'a Facts<'a>,
    pub(crate) accounts: &'a Accounts,
    pub(crate) rules: &'a Rules,
    /// `s3:GetObject`.
    pub(crate) action: &'a str,
    pub(crate) bucket: &'a str,
    pub(crate) key: Option<&'a str>,
}

/// What is known of the object that a question is about.
pub(crate) enum Thing<'a> {
    /// It is about a bucket, or about a key whatever it holds.
    NotAsked,
    Missing,
    Found(Existing<'a>),
}

/// An object that is there.
pub(crate) struct Existing<'a> {
    pub(crate) owner: &'a Account,
    pub(crate) acl: &'a Acl,
}

impl Question<'_> {
    /// Refuses what is not allowed.
    ///
    /// # Errors
    /// `AccessDenied`, `MethodNotAllowed`.
    pub(crate) fn decide(&self, thing: &Thing<'_>) -> S3Result<()> {
        let owns_bucket = self.owns(&self.rules.owner);
        // Whoever owns the bucket can always mend a policy that denies everything.
        if owns_bucket && self.is_about_policy() {
            return Ok(());
        }
        let allows = match self.verdict() {
            Verdict::Deny => return Err(S3Error::new(Code::AccessDenied, "Access Denied by the bucket's policy")),
            Verdict::Allow => true,
            Verdict::Silent => false,
        };
        let is_restricted = !owns_bucket
            && self.rules.block.restrict_public_buckets
            && self.rules.policy.as_ref().is_some_and(crate::policy::Policy::is_public);
        let allowed = match thing {
            Thing::NotAsked => self.may_in_bucket(owns_bucket, allows && !is_restricted),
            Thing::Found(existing) => self.may_on_object(owns_bucket, allows && !is_restricted, existing),
            Thing::Missing => Self { action: "s3:ListBucket", key: None, ..*self }.decide(&Thing::NotAsked).is_ok(),
        };
        match (allowed, allows && is_restricted) {
            (true, _) if !owns_bucket && self.is_about_policy() => {
                Err(S3Error::new(Code::MethodNotAllowed, "Only the bucket's owner can read or change its policy."))
            }
            (true, _) => Ok(()),
            (false, true) => Err(S3Error::new(Code::AccessDenied, "Access Denied by the bucket's public access block")),
            (false, false) => Err(Code::AccessDenied.into()),
        }
    }

    /// Whether the policy denies it.
    pub(crate) fn is_denied(&self) -> bool {
        self.verdict() == Verdict::Deny
    }

    fn may_in_bucket(&self, owns_bucket: bool, allows: bool) -> bool {
        let granted = |permission| self.grants(&self.rules.acl(), permission, &self.rules.owner);
        owns_bucket || allows || bucket_permission(self.action).is_some_and(granted)
    }

    fn may_on_object(&self, owns_bucket: bool, allows: bool, existing: &Existing<'_>) -> bool {
        let is_bucket_owners = existing.owner.canonical_id == self.rules.owner.canonical_id;
        // Of the accounts that once were, one may be left alone with what they wrote.
        let is_alone = owns_bucket && !self.accounts.are_several();
        if self.owns(existing.owner) || is_alone || (allows && is_bucket_owners) {
            return true;
        }
        match object_permission(self.action) {
            Some(permission) => !self.rules.are_acls_off() && self.grants(existing.acl, permission, existing.owner),
            // Tags and locks are the bucket's business.
            None => owns_bucket || allows,
        }
    }

    fn grants(&self, acl: &Acl, permission: Permission, owner: &Account) -> bool {
        let account = self.facts.identity.account().map(AsRef::as_ref);
        let overlook_public = self.rules.block.ignore_public_acls;
        acl.grants(permission, Asks { account, owner_id: &owner.canonical_id, overlook_public })
    }

    fn owns(&self, owner: &Account) -> bool {
        self.facts.identity.account().is_some_and(|account| account.canonical_id == owner.canonical_id)
    }

    fn is_about_policy(&self) -> bool {
        self.action.ends_with("BucketPolicy")
    }

    fn verdict(&self) -> Verdict {
        let Some(policy) = &self.rules.policy else { return Verdict::Silent };
        let resource = self.key.map_or_else(|| self.bucket.to_owned(), |key| format!("{}/{key}", self.bucket));
        policy.verdict(self.facts, self.action, &resource)
    }
}

/// What a bucket's list must grant for an action; `None` where no list grants it.
fn bucket_permission(action: &str) -> Option<Permission> {
    Some(match action {
        "s3:ListBucket" | "s3:ListBucketVersions" | "s3:ListBucketMultipartUploads" => Permission::Read,
        // Tags that a write brings; on an object that is there they are not the list's business.
        "s3:PutObject" | "s3:DeleteObject" | "s3:PutObjectTagging" => Permission::Write,
        "s3:GetBucketAcl" => Permission::ReadAcp,
        "s3:PutBucketAcl" => Permission::WriteAcp,
        _ => return None,
    })
}

/// What an object's list must grant for an action; `None` where no list grants it.
fn object_permission(action: &str) -> Option<Permission> {
    Some(match action {
        "s3:GetObject" | "s3:GetObjectVersion" | "s3:GetObjectAttributes" | "s3:GetObjectVersionAttributes" => {
            Permission::Read
        }
        "s3:GetObjectAcl" | "s3:GetObjectVersionAcl" => Permission::ReadAcp,
        "s3:PutObjectAcl" | "s3:PutObjectVersionAcl" => Permission::WriteAcp,
        _ => return None,
    })
}

/// Whether an action is about an object that is there, and not about a key whatever it holds.
pub(crate) fn is_about_object(action: &str) -> bool {
    !matches!(
        action,
        "s3:PutObject"
            | "s3:DeleteObject"
            | "s3:DeleteObjectVersion"
            | "s3:AbortMultipartUpload"
            | "s3:ListMultipartUploadParts"
            | "s3:BypassGovernanceRetention"
    )
}

/// Whether an error says that there is no such object.
pub(crate) fn is_missing(error: &EngineError) -> bool {
    matches!(error, EngineError::NoSuchKey(_) | EngineError::NoSuchVersion { .. } | EngineError::IsDeleteMarker(_))
}
