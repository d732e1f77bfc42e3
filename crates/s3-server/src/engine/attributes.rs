//! What is known of an object beside its bytes.

use serde::{Deserialize, Serialize};

use super::{Encryption, ObjectLock, VersionId};

/// Whether a checksum covers the whole object or is a checksum of its parts' checksums.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChecksumKind {
    /// Of all bytes.
    #[serde(rename = "FULL_OBJECT")]
    FullObject,
    /// Of the parts' checksums.
    #[serde(rename = "COMPOSITE")]
    Composite,
}

/// A checksum as S3 tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checksum {
    /// `CRC32`, `CRC32C`, `CRC64NVME`, `SHA1` or `SHA256`.
    pub algorithm: String,
    /// What it covers.
    pub kind: ChecksumKind,
    /// Base64, with `-<parts>` behind a composite one.
    pub value: String,
}

/// What a caller says of an object when putting it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObjectAttributes {
    /// Hex, without quotes; `-<parts>` behind a multipart one.
    pub etag: String,
    /// Headers to give back as they came (`content-type`, `cache-control`, …), in order.
    pub headers: Vec<(String, String)>,
    /// User metadata without the `x-amz-meta-` in front, in order.
    pub metadata: Vec<(String, String)>,
    /// The checksum, when there is one.
    pub checksum: Option<Checksum>,
    /// `None` is `STANDARD`.
    pub storage_class: Option<String>,
    /// The owner's canonical id, when identities are known.
    pub owner: Option<String>,
    /// Tags, in order; at most 10 with different keys, which the caller sees to.
    pub tags: Vec<(String, String)>,
    /// The access control list; `None` is `private`.
    pub acl: Option<String>,
    /// Retention and legal hold; `None` where there is neither.
    pub lock: Option<ObjectLock>,
    /// How the bytes are encrypted at rest; `None` where they aren't.
    pub encryption: Option<Encryption>,
    /// The upload in parts that it was completed from, as [`Engine::complete_upload`](super::Engine) sees to.
    pub upload: Option<String>,
}

/// One part of an object that was put in parts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectPart {
    /// 1 to 10,000.
    #[serde(rename = "n")]
    pub number: u16,
    /// In bytes.
    #[serde(rename = "s")]
    pub size: u64,
    /// The part's checksum value (base64), of the object's algorithm.
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<String>,
}

/// An object as it stands in the index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectInfo {
    /// The key.
    pub key: String,
    /// The version's id; `None` in a bucket that never had versioning.
    pub version: Option<VersionId>,
    /// In bytes.
    pub size: u64,
    /// When it was committed, in milliseconds since the epoch.
    pub last_modified_ms: u64,
    /// What the caller said of it.
    pub attributes: ObjectAttributes,
    /// Its parts in order; empty when it was put in one piece.
    pub parts: Vec<ObjectPart>,
}
