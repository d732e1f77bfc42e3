//! What a listing asks and gives.

use super::{Checksum, VersionId};

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// In order.
    pub items: Vec<T>,
    /// Give it as `after` to go on; `None` when this was the last page.
    pub next: Option<String>,
}

/// Which objects to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListQuery {
    /// Only keys that start with it.
    pub prefix: String,
    /// Keys that share what lies between the prefix and the next delimiter are one entry.
    pub delimiter: Option<String>,
    /// Only what comes after it in byte order. The text of a common prefix skips all of its keys.
    pub after: Option<String>,
    /// At most that many entries; the engine gives at most 10,000.
    pub max: usize,
}

/// An object in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedObject {
    /// The key.
    pub key: String,
    /// In bytes.
    pub size: u64,
    /// Without quotes.
    pub etag: String,
    /// In milliseconds since the epoch.
    pub last_modified_ms: u64,
    /// The checksum, when there is one.
    pub checksum: Option<Checksum>,
    /// `None` is `STANDARD`.
    pub storage_class: Option<String>,
    /// The owner's canonical id, when identities are known.
    pub owner: Option<String>,
}

/// One line of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListEntry {
    /// An object.
    Object(ListedObject),
    /// All keys that start with this, delimiter included.
    CommonPrefix(String),
}

impl ListEntry {
    /// The key or the common prefix.
    pub fn text(&self) -> &str {
        match self {
            Self::Object(object) => &object.key,
            Self::CommonPrefix(prefix) => prefix,
        }
    }
}

/// One page of objects and common prefixes, in byte order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListPage {
    /// In byte order.
    pub entries: Vec<ListEntry>,
    /// The last entry's text when there is more: give it as `after`.
    pub next: Option<String>,
}

/// Which versions to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VersionQuery {
    /// Only keys that start with it.
    pub prefix: String,
    /// As in [`ListQuery`].
    pub delimiter: Option<String>,
    /// Only keys after it; with `after_version`, also older versions of that very key.
    pub after_key: Option<String>,
    /// Only meaningful with `after_key`.
    pub after_version: Option<VersionId>,
    /// At most that many entries; the engine gives at most 10,000.
    pub max: usize,
}

/// A version in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedVersion {
    /// What a plain listing would say of it; a delete marker has no size, ETag and checksum.
    pub object: ListedObject,
    /// Its id.
    pub version: VersionId,
    /// Whether it is the key's newest.
    pub is_latest: bool,
    /// Whether it is a delete marker.
    pub is_marker: bool,
}

/// One line of a list of versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VersionEntry {
    /// A version or a delete marker.
    Version(Box<ListedVersion>),
    /// All keys that start with this, delimiter included.
    CommonPrefix(String),
}

/// One page of versions, by key in byte order, then newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VersionPage {
    /// In order.
    pub entries: Vec<VersionEntry>,
    /// `after_key` and `after_version` of the next page; `None` when this was the last.
    pub next: Option<(String, Option<VersionId>)>,
}
