//! A segment: one object of the log, what one group commit changed.
//!
//! Segments form a chain: consecutive numbers, each with a link to the one before it and the database's
//! checksum after it. A transaction too large for one segment is split; it counts
//! only when its last part is there.

use bytes::Bytes;
use holdfast_base::{Error, ErrorKind, Result};
use uuid::Uuid;

use crate::page_changes::PageChanges;

/// SHA-256 of a segment's number and bytes. The segment ends with its first 12 bytes.
pub type Digest = [u8; 32];

/// The beginning of a digest, by which a segment names its predecessor.
pub type Link = [u8; 8];

/// What the segment behind one with this digest says.
pub fn link(digest: &Digest) -> Link {
    let mut link = Link::default();
    link.copy_from_slice(&digest[..size_of::<Link>()]);
    link
}

/// What a segment is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SegmentKind {
    /// Transactions, whole.
    Commit,
    /// A piece of a transaction that goes on in the next segment.
    Part,
    /// Empty: a new owner's epoch begins here, and nothing of an older one can follow.
    Seal,
    /// Empty: the log goes on in another generation.
    Rollover(Uuid),
}

/// One transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transaction {
    /// When it was committed, in milliseconds since the epoch.
    pub committed_ms: u64,
}

/// Everything that a segment says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// What it is for.
    pub kind: SegmentKind,
    /// Who owned the log; never falls along it.
    pub epoch: u64,
    /// Which process writes from here on; in the first segment of each owner, so that no two owners' are alike.
    /// All that follow are told apart by what they follow from.
    pub writer: Option<Uuid>,
    /// Its place in the log, from 1, without holes, across generations.
    pub sequence: u64,
    /// The beginning of its predecessor's digest; zeros for the first.
    pub previous: Link,
    /// The database's checksum after it.
    pub after: u64,
    /// Bytes of a page.
    pub page_bytes: u32,
    /// The database's size in pages after it, when that has changed; what bounds the pages of a part.
    pub page_count: Option<u32>,
    /// When the last transaction up to here was committed, in milliseconds since the epoch; 0 before the first.
    pub time_ms: u64,
    /// The transactions whose last page it holds, in the order of commit.
    pub transactions: Vec<Transaction>,
    /// The changed pages.
    pub pages: PageChanges,
}

impl Segment {
    /// Whether the database is in a committed state after it.
    pub fn is_whole(&self) -> bool {
        self.kind != SegmentKind::Part
    }
}

/// A segment as it was read, with its digest.
#[derive(Clone, Debug)]
pub struct StoredSegment {
    /// What it says.
    pub segment: Segment,
    /// Its digest, which its successor names.
    pub digest: Digest,
}

impl StoredSegment {
    /// Reads the object of the segment with this number.
    ///
    /// # Errors
    /// `Integrity` with code `SEGMENT_CORRUPT` when it is torn, changed, foreign, another one, or of a newer
    /// format.
    pub fn decode(bytes: &Bytes, sequence: u64) -> Result<Self> {
        crate::segment_format::decode(bytes, sequence)
    }
}

pub(crate) fn corrupt(why: &str) -> Error {
    let message =
        format!("a segment of the log {why}; nothing was applied. Restore to an earlier point, or from a copy");
    Error::new(ErrorKind::Integrity, "SEGMENT_CORRUPT", message)
}
