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
    /// `If-None-Match` with ETags: the object's ETag (without quotes) is none of these, or there is none.
    EtagNotIn(Vec<String>),
}

impl Condition {
    /// Whether a write of `key` may happen on the object with that ETag (`None`: there is none).
    pub(super) fn check(&self, key: &str, etag: Option<&str>) -> Result<()> {
        match (self, etag) {
            (Self::Always, _) | (Self::Absent | Self::EtagNotIn(_), None) | (Self::Present, Some(_)) => Ok(()),
            (Self::EtagNotIn(unwanted), Some(etag)) if unwanted.iter().all(|unwanted| unwanted != etag) => Ok(()),
            (Self::Present | Self::EtagIn(_), None) => Err(EngineError::NoSuchKey(key.to_owned())),
            (Self::EtagIn(wanted), Some(etag)) if wanted.iter().any(|wanted| wanted == etag) => Ok(()),
            (Self::Absent | Self::EtagIn(_) | Self::EtagNotIn(_), Some(_)) => Err(EngineError::PreconditionFailed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What each condition says of: no object, an object with ETag `a`, one with ETag `b`.
    fn verdicts(condition: &Condition) -> [&'static str; 3] {
        [None, Some("a"), Some("b")].map(|etag| match condition.check("key", etag) {
            Ok(()) => "go on",
            Err(EngineError::PreconditionFailed) => "failed",
            Err(EngineError::NoSuchKey(_)) => "missing",
            Err(_) => "another error",
        })
    }

    #[test]
    fn each_condition_holds_where_s3_says() {
        let a = || vec!["x".to_owned(), "a".to_owned()];
        assert_eq!(verdicts(&Condition::Always), ["go on", "go on", "go on"]);
        assert_eq!(verdicts(&Condition::Absent), ["go on", "failed", "failed"]);
        assert_eq!(verdicts(&Condition::Present), ["missing", "go on", "go on"]);
        assert_eq!(verdicts(&Condition::EtagIn(a())), ["missing", "go on", "failed"]);
        assert_eq!(verdicts(&Condition::EtagNotIn(a())), ["go on", "failed", "go on"]);
    }
}
