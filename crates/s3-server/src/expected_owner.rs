//! The account that a client takes a bucket's owner to be.

use crate::auth::{Account, OWN_ACCOUNT};
use crate::error::{Code, S3Error, S3Result};

/// What is said of the bucket that a request names.
pub(crate) const OF_BUCKET: &str = "x-amz-expected-bucket-owner";
/// What is said of the bucket that is copied from.
pub(crate) const OF_SOURCE: &str = "x-amz-source-expected-bucket-owner";

/// Refuses what takes a bucket to be another account's. An account is expected by its number; its canonical id will
/// do too.
///
/// # Errors
/// `AccessDenied`, and `InvalidBucketOwnerAWSAccountID` for what is no account.
pub(crate) fn check(expected: &str, owner: &Account) -> S3Result<()> {
    if expected == owner.number || expected == owner.canonical_id {
        return Ok(());
    }
    if expected.len() != OWN_ACCOUNT.len() || !expected.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(S3Error::from(Code::InvalidBucketOwnerAWSAccountID).with("BucketOwner", expected));
    }
    Err(Code::AccessDenied.into())
}
