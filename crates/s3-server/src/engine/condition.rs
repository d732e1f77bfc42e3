//! What must hold of the present object for a write to happen.

use super::{EngineError, Result};

/// Decided inside the committing transaction, so that of racing writers exactly one wins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Condition {
    /// Whatever is there.
    #[default]
    Always,
    /// `If-None-Match: *`: no object has the key.
    Absent,
    /// `If-Match: *`: some object has the key.
    Present,
    /// `If-Match`: the object's ETag (without quotes) is one of these.
    EtagIn(Vec<String>),
}

impl Condition {
    /// Whether a write of `key` may happen on the object with that ETag (`None`: there is none).
    pub(super) fn check(&self, key: &str, etag: Option<&str>) -> Result<()> {
        match (self, etag) {
            (Self::Always, _) | (Self::Absent, None) | (Self::Present, Some(_)) => Ok(()),
            (Self::Present | Self::EtagIn(_), None) => Err(EngineError::NoSuchKey(key.to_owned())),
            (Self::EtagIn(wanted), Some(etag)) if wanted.iter().any(|wanted| wanted == etag) => Ok(()),
            (Self::Absent | Self::EtagIn(_), Some(_)) => Err(EngineError::PreconditionFailed),
        }
    }
}
