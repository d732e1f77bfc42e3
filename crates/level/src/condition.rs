//! Conditions on writes.

use holdfast_s3_client::PutOptions;

/// What has to hold for a write to happen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Condition {
    /// Nothing.
    #[default]
    Always,
    /// Nothing is stored under the key.
    Absent,
    /// What is stored under the key has this ETag.
    Etag(String),
}

impl Condition {
    pub(crate) fn put_options(&self) -> PutOptions {
        match self {
            Self::Always => PutOptions::default(),
            Self::Absent => PutOptions::absent(),
            Self::Etag(etag) => PutOptions::replacing(etag),
        }
    }
}
