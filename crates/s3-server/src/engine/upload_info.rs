//! Uploads in parts, as they stand in the index.

use super::{Checksum, ObjectAttributes};

/// An upload that was begun and neither completed nor aborted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadInfo {
    /// Unguessable; later ones of the same process compare greater.
    pub id: String,
    /// The key it will become.
    pub key: String,
    /// When it was begun, in milliseconds since the epoch.
    pub initiated_at_ms: u64,
    /// What the object will be given. Its `etag` is empty, its checksum's `value` too.
    pub attributes: ObjectAttributes,
}

/// What a caller says of a part when putting it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartAttributes {
    /// Hex MD5, without quotes.
    pub etag: String,
    /// The checksum, when there is one.
    pub checksum: Option<Checksum>,
}

/// A part as it stands in the index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartInfo {
    /// 1 to 10,000.
    pub number: u16,
    /// In bytes.
    pub size: u64,
    /// When it was committed, in milliseconds since the epoch.
    pub last_modified_ms: u64,
    /// What the caller said of it.
    pub attributes: PartAttributes,
}

/// One page of parts by number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartPage {
    /// In order.
    pub parts: Vec<PartInfo>,
    /// Give it as `after` to go on; `None` when this was the last page.
    pub next: Option<u16>,
}

/// A part as a completion names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompletedPart {
    /// 1 to 10,000.
    pub number: u16,
    /// Hex MD5, without quotes.
    pub etag: String,
    /// The checksum's value when the caller names it; compared with the part's.
    pub checksum: Option<String>,
}

/// Which uploads to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UploadQuery {
    /// Only keys that start with it.
    pub prefix: String,
    /// As in [`ListQuery`](super::ListQuery).
    pub delimiter: Option<String>,
    /// Only keys after it; with `after_upload`, also later uploads of that very key.
    pub after_key: Option<String>,
    /// Only meaningful with `after_key`.
    pub after_upload: Option<String>,
    /// At most that many entries; the engine gives at most 10,000.
    pub max: usize,
}

/// One line of a list of uploads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UploadEntry {
    /// An upload.
    Upload(Box<UploadInfo>),
    /// All uploads whose keys start with this, delimiter included.
    CommonPrefix(String),
}

/// One page of uploads, by key, then by age.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UploadPage {
    /// In order.
    pub entries: Vec<UploadEntry>,
    /// `after_key` and `after_upload` of the next page; `None` when this was the last.
    pub next: Option<(String, Option<String>)>,
}
