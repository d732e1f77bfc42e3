//! The account that a client takes a bucket's owner to be.

use crate::error::{Code, S3Error, S3Result};
use crate::policy::ACCOUNT;
use crate::request::Request;

/// The header about the bucket that is named, and the one about the bucket that is copied from.
const HEADERS: [&str; 2] = ["x-amz-expected-bucket-owner", "x-amz-source-expected-bucket-owner"];

/// Refuses a request that takes a bucket to be another account's: all here are of one.
///
/// # Errors
/// `AccessDenied`, and `InvalidBucketOwnerAWSAccountID` for what is no account.
pub(crate) fn check(request: &Request) -> S3Result<()> {
    for expected in HEADERS.iter().filter_map(|name| request.header(name)) {
        if expected.len() != ACCOUNT.len() || !expected.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(S3Error::from(Code::InvalidBucketOwnerAWSAccountID).with("BucketOwner", expected));
        }
        if expected != ACCOUNT {
            return Err(Code::AccessDenied.into());
        }
    }
    Ok(())
}
