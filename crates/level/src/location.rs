//! Where a database is: a bucket, and a folder in it.

use std::fmt;

use holdfast_base::{Error, ErrorKind, Result};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// The part of a bucket that databases keep for themselves: markers and journals.
pub(crate) const RESERVED: &str = ".holdfast/level/";

/// A folder's name as one path segment.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_');

/// A bucket with an optional folder, written `bucket` or `bucket/any/folder`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    bucket: String,
    prefix: String,
}

impl Location {
    /// Reads a location: the bucket ends at the first slash, and the folder gets one at its end.
    ///
    /// # Errors
    /// `Config` with code `LEVEL_INVALID_LOCATION`.
    pub fn parse(text: &str) -> Result<Self> {
        let (bucket, prefix) = match text.split_once('/') {
            Some((bucket, folder)) => (bucket, format!("{folder}/")),
            None => (text, String::new()),
        };
        if bucket.is_empty() || prefix.starts_with(".holdfast/") {
            let message = format!("{text:?} is not a location; give a bucket or bucket/folder, outside of .holdfast/");
            return Err(Error::new(ErrorKind::Config, "LEVEL_INVALID_LOCATION", message));
        }
        Ok(Self { bucket: bucket.to_owned(), prefix })
    }

    /// The bucket's name.
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// What every object's key starts with; empty or ending in a slash.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Whether the database is the whole bucket.
    pub fn is_whole_bucket(&self) -> bool {
        self.prefix.is_empty()
    }

    /// Where this database keeps what is not data. No two locations share one, and none lies within another's.
    pub(crate) fn own_area(&self) -> String {
        let folder = self
            .prefix
            .strip_suffix('/')
            .map_or_else(|| "@".to_owned(), |folder| format!("={}", utf8_percent_encode(folder, SEGMENT)));
        format!("{RESERVED}{folder}/")
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.prefix.strip_suffix('/') {
            Some(folder) => write!(f, "{}/{folder}", self.bucket),
            None => f.write_str(&self.bucket),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix(text: &str) -> String {
        Location::parse(text).unwrap().prefix().to_owned()
    }

    #[test]
    fn the_bucket_ends_at_the_first_slash() {
        let location = Location::parse("box/a/b").unwrap();
        assert_eq!((location.bucket(), location.prefix()), ("box", "a/b/"));
        assert_eq!((prefix("box"), prefix("box/"), prefix("box//x")), (String::new(), "/".into(), "/x/".into()));
    }

    #[test]
    fn own_areas_differ_and_never_nest() {
        let area = |text: &str| Location::parse(text).unwrap().own_area();
        assert_eq!(area("box"), ".holdfast/level/@/");
        assert_eq!(area("box/"), ".holdfast/level/=/");
        assert_eq!(area("box/a/b"), ".holdfast/level/=a%2Fb/");
    }

    #[test]
    fn no_bucket_and_the_reserved_folder_are_refused() {
        for text in ["", "/x", "box/.holdfast", "box/.holdfast/level"] {
            assert_eq!(Location::parse(text).unwrap_err().code(), "LEVEL_INVALID_LOCATION", "{text}");
        }
    }
}
