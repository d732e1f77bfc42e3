//! What is known about an object.

use std::collections::BTreeMap;

use crate::Body;

/// What is known about an object without reading it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObjectMeta {
    /// The size of the whole object, in bytes, also when a range was asked for.
    pub size: u64,
    /// Its ETag, in quotes as S3 gives it.
    pub etag: String,
    /// Its media type.
    pub content_type: Option<String>,
    /// Metadata of the user, by name in small letters, without `x-amz-meta-`.
    pub metadata: BTreeMap<String, String>,
    /// When it was written: milliseconds since the epoch.
    pub modified_ms: u64,
}

/// An object that is being read.
#[derive(Debug)]
pub struct Object {
    /// What is known about it.
    pub meta: ObjectMeta,
    /// How many bytes the body has: the object's size, or the range's.
    pub body_bytes: u64,
    /// Its bytes, as a stream.
    pub body: Body,
}

/// What a write answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The new object's ETag, in quotes as S3 gives it.
    pub etag: String,
    /// How many bytes were stored.
    pub size: u64,
}

pub(crate) fn millis(time: Option<&aws_smithy_types::DateTime>) -> u64 {
    time.and_then(|time| time.to_millis().ok()).and_then(|ms| u64::try_from(ms).ok()).unwrap_or(0)
}

pub(crate) fn unsigned(count: Option<i64>) -> u64 {
    count.and_then(|count| u64::try_from(count).ok()).unwrap_or(0)
}
