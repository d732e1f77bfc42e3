//! SQLite, continuously replicated to a bucket.

mod page_checksum;
mod page_image;
mod segment;
mod segment_format;
mod wal;

pub use page_checksum::{lock_page, page_checksum};
pub use page_image::PageImage;
pub use segment::{Digest, PageChange, Segment, SegmentKind, StoredSegment, Transaction};
pub use wal::{Cursor, Frame, WalFile, WalHeader};
