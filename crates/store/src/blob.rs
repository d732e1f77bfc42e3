//! Blobs as a caller sees them.

use std::collections::BTreeMap;

use bytes::Bytes;
use futures_util::stream::BoxStream;
use holdfast_base::{Error, ErrorKind, KeyRange, Result};

/// What is known of a blob without reading it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlobInfo {
    /// Its key.
    pub key: String,
    /// Its size in bytes.
    pub size: u64,
    /// Changes with the content; without quotes.
    pub etag: String,
    /// Its media type.
    pub content_type: Option<String>,
    /// The user's own pairs. Listings leave them out.
    pub metadata: BTreeMap<String, String>,
    /// When it was put, in milliseconds since the epoch.
    pub updated_at_ms: u64,
}

/// What a put says beside the bytes.
#[derive(Clone, Debug, Default)]
pub struct PutOptions {
    /// Its media type.
    pub content_type: Option<String>,
    /// The user's own pairs.
    pub metadata: BTreeMap<String, String>,
    /// It must not exist yet.
    pub if_none_match: bool,
    /// It must exist with this ETag.
    pub if_match: Option<String>,
    /// How many bytes will come, where that is known.
    pub size: Option<u64>,
}

/// A range of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ByteRange {
    /// From the first to the last, both included; to the end without a last.
    From {
        /// The first byte.
        start: u64,
        /// The last byte, included.
        end: Option<u64>,
    },
    /// The last so many bytes.
    Last(u64),
}

impl ByteRange {
    /// Where it begins and ends (excluded) in `size` bytes.
    ///
    /// # Errors
    /// `Validation` with code `INVALID_RANGE` when no byte lies in it.
    pub fn resolve(self, size: u64) -> Result<std::ops::Range<u64>> {
        let range = match self {
            Self::From { start, end } => start..end.map_or(size, |end| end.saturating_add(1)).min(size),
            Self::Last(count) => size.saturating_sub(count)..size,
        };
        if range.is_empty() {
            let message = format!("no byte of the {size} lies in the range; ask for one that begins before the end");
            return Err(Error::new(ErrorKind::Validation, "INVALID_RANGE", message).with("size", size));
        }
        Ok(range)
    }
}

/// A blob that is being read.
pub struct BlobBody {
    /// What is known of it; `size` is of the whole blob.
    pub info: BlobInfo,
    /// Which bytes the stream gives.
    pub range: std::ops::Range<u64>,
    /// The bytes, in chunks of a bounded size.
    pub stream: BoxStream<'static, Result<Bytes>>,
}

/// Which blobs to list.
#[derive(Clone, Debug)]
pub struct BlobQuery {
    /// Bounds of the keys.
    pub range: KeyRange,
    /// The prefix that a delimiter is looked for behind.
    pub prefix: String,
    /// Folds the keys that have it behind the prefix into one common prefix.
    pub delimiter: Option<String>,
    /// From the last to the first.
    pub reverse: bool,
    /// The key (or common prefix) that the page before ended with.
    pub after: Option<String>,
    /// At most so many keys and prefixes.
    pub limit: usize,
}

impl BlobQuery {
    /// The common prefix that a key folds into, if it does.
    pub fn fold<'a>(&self, key: &'a str) -> Option<&'a str> {
        let delimiter = self.delimiter.as_deref().filter(|delimiter| !delimiter.is_empty())?;
        let rest = key.strip_prefix(self.prefix.as_str())?;
        let at = rest.find(delimiter)?;
        key.get(..self.prefix.len() + at + delimiter.len())
    }
}

/// Some blobs, and the key to go on behind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlobPage {
    /// The blobs, in the order asked for.
    pub items: Vec<BlobInfo>,
    /// The common prefixes, in the same order.
    pub prefixes: Vec<String>,
    /// Give it as `after` for the next page; `None` when there is none.
    pub next: Option<String>,
}
