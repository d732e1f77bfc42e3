//! Server-side encryption as clients ask for it: in headers, and as the setting of a bucket. What it does to bytes is
//! the engine's.

mod bucket_encryption;
mod customer_key;
mod write_encryption;

pub(crate) use bucket_encryption::{BucketEncryption, ENCRYPTION_DOCUMENT};
pub(crate) use customer_key::SentKey;
pub(crate) use write_encryption::{WriteEncryption, refuse_on_read};

/// The header that names a method.
pub(crate) const METHOD: &str = "x-amz-server-side-encryption";
/// The header that names a key of the ring.
pub(crate) const KMS_KEY_ID: &str = "x-amz-server-side-encryption-aws-kms-key-id";
/// The header that holds the encryption context.
pub(crate) const CONTEXT: &str = "x-amz-server-side-encryption-context";
/// The header that asks for a bucket key.
pub(crate) const BUCKET_KEY: &str = "x-amz-server-side-encryption-bucket-key-enabled";
/// The method of this server's own key.
pub(crate) const AES256: &str = "AES256";
/// The method of the ring's keys.
pub(crate) const KMS: &str = "aws:kms";
