//! A segment: one object of the log, what one group commit changed.
//!
//! Segments form a chain: consecutive numbers, each with the digest of the one before it and the
//! database's checksum before and after it. A transaction too large for one segment is split; it counts
//! only when its last part is there.

use bytes::Bytes;
use holdfast_base::{Error, ErrorKind, Result};
use uuid::Uuid;

use crate::page_image::PageImage;

/// SHA-256 of a segment's bytes; its last 32 bytes.
pub type Digest = [u8; 32];

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

/// One changed page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageChange {
    /// Counted from 1, ascending in a segment.
    pub number: u32,
    /// Its new content.
    pub image: PageImage,
}

/// Everything that a segment says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// What it is for.
    pub kind: SegmentKind,
    /// Who owned the log; never falls along it.
    pub epoch: u64,
    /// Which process wrote it.
    pub writer: Uuid,
    /// Its place in the log, from 1, without holes, across generations.
    pub sequence: u64,
    /// The digest of its predecessor; zeros for the first.
    pub previous: Digest,
    /// The database's checksum before it.
    pub before: u64,
    /// The database's checksum after it.
    pub after: u64,
    /// Bytes of a page.
    pub page_bytes: u32,
    /// The database's size in pages after it.
    pub page_count: u32,
    /// When the last transaction up to here was committed, in milliseconds since the epoch; 0 before the first.
    pub time_ms: u64,
    /// The transactions whose last page it holds, in the order of commit.
    pub transactions: Vec<Transaction>,
    /// The changed pages.
    pub pages: Vec<PageChange>,
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
    /// Reads a segment's object.
    ///
    /// # Errors
    /// `Integrity` with code `SEGMENT_CORRUPT` when it is torn, changed, foreign or of a newer format.
    pub fn decode(bytes: &Bytes) -> Result<Self> {
        crate::segment_format::decode(bytes)
    }
}

pub(crate) fn corrupt(why: &str) -> Error {
    let message =
        format!("a segment of the log {why}; nothing was applied. Restore to an earlier point, or from a copy");
    Error::new(ErrorKind::Integrity, "SEGMENT_CORRUPT", message)
}
